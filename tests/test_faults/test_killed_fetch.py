"""A fetch that is killed again and again ends with the same files; its memory stays flat."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
import zipfile
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha1
from pathlib import Path

import pytest
from archive_server import ArchiveServer, serving
from fault_genre import Genre
from fault_kills import NOTES
from fault_processes import nothing_left, wait_until
from fault_stores import temporary_files
from fma_zips import files_of, sha1_of, zipped
from s3_proxy import Proxy, a_fifth
from seaweedfs import SeaweedFS

from storage.places.bucket import Bucket
from storage.places.folder import Folder
from storage.places.location import Location

pytestmark = pytest.mark.faults

FILES = files_of("fma_small", count=1_500, size=40_000)
TABLES = files_of("fma_metadata", count=3)
HASHES = {name: sha1(content).hexdigest() for name, content in FILES.items()}
LARGE = 2 * 2**30
_PIECE = 2**20


@pytest.fixture(scope="module")
def archives() -> dict[str, bytes | Path]:
    return {"fma_small.zip": zipped(FILES), "fma_metadata.zip": zipped(TABLES)}


@pytest.fixture
def server(archives: dict[str, bytes | Path]) -> Iterator[ArchiveServer]:
    with serving(files=dict(archives), bytes_a_second=10_000_000) as server:
        yield server


def got(archives: Path, share: float) -> Callable[[], bool]:
    """Whether that share of the archive was got."""
    size = share * sum(map(len, FILES.values()))
    return lambda: _size(archives / ".fma_small.zip.partial") > size


def unpacked(data: Location, count: int) -> Callable[[], bool]:
    """Whether so many files were unpacked."""
    return lambda: len(_clips(data)) >= count


@pytest.fixture(params=["folder", "seaweedfs"])
def data(request: pytest.FixtureRequest, tmp_path: Path) -> Location:
    """Give an empty place of both kinds."""
    if request.param == "folder":
        return Folder(tmp_path / "data")
    server: SeaweedFS = request.getfixturevalue("seaweedfs")
    server.make_bucket("fetched")
    return Bucket("fetched", uuid.uuid4().hex, server.options())


@pytest.fixture
def fetching(genre: Genre, data: Location) -> Genre:
    """Give the command with what reaches the place."""
    options = dict(data.options) if isinstance(data, Bucket) else {}
    return Genre(genre.folder, {**genre.env, "GENRE_STORAGE_OPTIONS": json.dumps(options)})


def asked(server: ArchiveServer, data: Location, archives: Path, *, stream: bool) -> list[object]:
    """Write the command's arguments."""
    return [
        *("fetch", "fma_small", "--to", data.uri, "--mirror", server.url, "--workers", 2),
        *("--sha1", f"fma_small={_sha1(server, 'fma_small.zip')}"),
        *("--sha1", f"fma_metadata={_sha1(server, 'fma_metadata.zip')}"),
        *(["--stream"] if stream else ["--archives", archives]),
    ]


@pytest.mark.parametrize("stream", [False, True], ids=["archive", "stream"])
def test_a_fetch_killed_five_times(
    fetching: Genre, server: ArchiveServer, data: Location, tmp_path: Path, stream: bool
) -> None:
    archives = tmp_path / "archives"
    arguments = asked(server, data, archives, stream=stream)
    downloading = [got(archives, 0.2), got(archives, 0.7)]
    early = [unpacked(data, 1), unpacked(data, 50)] if stream else downloading
    left = []
    for moment in [*early, unpacked(data, 200), unpacked(data, 600), unpacked(data, 1_100)]:
        with nothing_left(fetching.start(*arguments, "--json")) as run:
            wait_until(lambda: moment() or run.process.poll() is not None, what="")  # noqa: B023
            assert run.process.poll() is None, run.said
            run.kill()
            left.append(len(_clips(data)))
            wait_until(lambda: not run.descendants(), what="it has ended")
        assert not (archives / "fma_small.zip").exists() or _sha1_fits(server, archives)
    told = fetching(*arguments)
    assert (told["files"], told["reused"] > 0) == (len(FILES) + len(TABLES), True)
    assert ("sha1" in told["verified"]) is not stream
    assert _tree(data) == HASHES
    if data.local_path is not None:
        assert temporary_files(data.local_path / "fma_small") == []
    size = len(server.files["fma_small.zip"])  # type: ignore[arg-type]
    if not stream:
        assert server.sent < 1.5 * size
    NOTES.append(
        f"fetch {'--stream ' if stream else ''}to {type(data).__name__.lower()} killed with {left} "
        f"of 1,500 clips unpacked; {server.sent / size:.2f} times the archive was sent"
    )
    assert fetching(*arguments)["written"] == 0


@pytest.mark.parametrize("stream", [False, True], ids=["archive", "stream"])
def test_networks_that_spoil_what_they_can(
    genre: Genre, server: ArchiveServer, seaweedfs: SeaweedFS, tmp_path: Path, stream: bool
) -> None:
    """The mirror's drops the line at random bytes, that of S3 spoils a fifth of the requests."""
    server.drop_after, server.bytes_a_second = (100_000, 3_000_000), None
    seaweedfs.make_bucket("fetched")
    options = seaweedfs.options(config_kwargs={"read_timeout": 3})
    data = Bucket("fetched", uuid.uuid4().hex, options)
    with Proxy(seaweedfs.endpoint_url, a_fifth(15)) as proxy:
        given = json.dumps({**options, "endpoint_url": proxy.endpoint_url})
        fetching = Genre(genre.folder, {**genre.env, "GENRE_STORAGE_OPTIONS": given})
        told = fetching(*asked(server, data, tmp_path / "archives", stream=stream))
        spoilt, requests = sum(proxy.spoilt.values()), len(proxy.asked)
        assert len(proxy.spoilt) == 7, proxy.spoilt
    assert told["files"] == told["written"] + told["reused"] == len(FILES) + len(TABLES)
    assert _tree(data) == HASHES
    NOTES.append(
        f"fetch {'--stream ' if stream else ''}to a bucket: {spoilt} of {requests} requests to S3 "
        f"spoilt, {len(server.requests)} to the mirror, which dropped the line"
    )


def test_memory_is_flat_while_two_gigabytes_are_streamed(tmp_path: Path) -> None:
    _sparse_archive(tmp_path / "fma_full.zip", members=4)
    with serving(files={"fma_full.zip": tmp_path / "fma_full.zip"}) as server:
        done = subprocess.run(
            [sys.executable, "-c", _STREAM, f"{server.url}/fma_full.zip", str(tmp_path / "data")],
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    for path in (tmp_path / "data").rglob("*.mp3"):
        path.unlink()
    assert told["bytes"] == LARGE
    grown_mb = (told["peak_kib"] - told["before_kib"]) / 1024
    NOTES.append(f"streaming 2 GiB took {grown_mb:.0f} MB of memory above the imports")
    assert grown_mb < 80


_STREAM = """
import json, sys
from pathlib import Path
from storage.archives.contents import read_contents
from storage.places.address import parse_location
from storage.archives.address import parse_origin
from storage.archives.archive_file import ArchiveAt
from storage.archives.unpacking import plan_unpacking
from tasks.worker.unpacking import PartJob, unpack

def peak():  # getrusage would count what the parent had before the fork
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))

origin, data = parse_origin(sys.argv[1]), parse_location(sys.argv[2])
facts = origin.facts()
before = peak()
archive = ArchiveAt.of(origin, facts)
with archive.open() as file:
    contents = read_contents(file, root="fma_full")
plan = plan_unpacking(contents, {}, {})
for part in plan.parts:
    unpack(PartJob(archive=archive, part=part,
                   target=data / "fma_full", notes=data / "notes"))
print(json.dumps({"bytes": contents.size, "before_kib": before, "peak_kib": peak()}))
"""


def _sparse_archive(path: Path, *, members: int) -> None:
    """Write an archive of stored zeros, of which no byte is on the disk."""
    size, crc = LARGE // members, 0
    for _ in range(size // _PIECE):
        crc = zlib.crc32(bytes(_PIECE), crc)
    infos = []
    with path.open("wb") as file:
        for number in range(members):
            info = zipfile.ZipInfo(f"fma_full/{number}.mp3")
            info.file_size = info.compress_size = size
            info.CRC, info.header_offset = crc, file.tell()
            file.write(info.FileHeader())
            file.seek(size, 1)
            infos.append(info)
        with zipfile.ZipFile(file, "w") as archive:
            archive.filelist.extend(infos)
            archive.start_dir = file.tell()
            archive._didModify = True


def _clips(data: Location) -> list[str]:
    found = (data / "fma_small").list(recursive=True)
    return [entry.name for entry in found if entry.name.endswith(".mp3")]


def _tree(data: Location) -> dict[str, str]:
    names = [f"fma_small/{entry.name}" for entry in (data / "fma_small").list(recursive=True)]
    with ThreadPoolExecutor(8) as pool:
        contents = pool.map(lambda name: (data / name).read_bytes(), names)
        return {
            name: sha1(content).hexdigest() for name, content in zip(names, contents, strict=True)
        }


def _sha1(server: ArchiveServer, name: str) -> str:
    content = server.files[name]
    assert isinstance(content, bytes)
    return sha1_of(content)


def _sha1_fits(server: ArchiveServer, archives: Path) -> bool:
    return sha1_of((archives / "fma_small.zip").read_bytes()) == _sha1(server, "fma_small.zip")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
