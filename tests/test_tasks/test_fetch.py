"""The stages of a fetch, one after the other in this process, against a server and a bucket."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from flows.errors import UsageError
from flows.fetch_options import parse_sha1, wanted_archives
from flows.pace import Pace, duration
from genre_model import fma_archives
from genre_model.errors import CatalogueError
from storage.errors import BadArchive, Full, Mismatched, UnknownFormat
from storage.fetch_notes import Fetched
from storage.folders import Folder
from tasks.fetch import Wanted, contact, find_fetched, get_archive, plan_files, verify_fetched
from tasks.unpacking import PartJob, unpack

sys.path.insert(0, str(Path(__file__).parents[1] / "test_storage"))
from archive_server import ArchiveServer, serving
from fma_zips import files_of, sha1_of, zipped

FILES = files_of("fma_small", count=12)
ARCHIVE = zipped(FILES)


@pytest.fixture
def server() -> Iterator[ArchiveServer]:
    with serving(files={"fma_small.zip": ARCHIVE}) as server:
        yield server


def wanted(
    server: ArchiveServer, to: Path, *, stream: bool = False, content: bytes = ARCHIVE
) -> Wanted:
    _, found = wanted_archives(
        "fma_small",
        str(to),
        mirror=server.url,
        sha1={"fma_small": sha1_of(content)},
        stream=stream,
    )
    return found


def fetch(asked: Wanted, *, verify: bool = False) -> tuple[Fetched, int]:
    """Do what the flow does; return what was noted, and how many files were written."""
    found = None if verify else find_fetched.fn(asked)
    if found is not None:
        return found, 0
    archive = get_archive.fn(asked, contact.fn(asked), on_bytes=_ignore, say=_ignore)
    plan = plan_files.fn(asked, archive, verify=verify)
    written = 0
    for part in plan.parts:
        job = PartJob(
            archive=archive,
            part=part,
            digest=plan.digest,
            target=asked.target,
            notes=asked.notes,
        )
        written += unpack(job).written
    return verify_fetched.fn(asked, archive), written


def tree(data: Path) -> dict[str, bytes]:
    return {
        f"fma_small/{entry.name}": (data / "fma_small" / entry.name).read_bytes()
        for entry in Folder(data / "fma_small").list(recursive=True)
    }


def test_with_its_archive(server: ArchiveServer, tmp_path: Path) -> None:
    asked = wanted(server, tmp_path)
    fetched, written = fetch(asked)
    assert fetched.verified == ("sha1", "crc32", "checksums")
    assert (len(fetched.files), written) == (len(FILES), len(FILES))
    assert tree(tmp_path) == FILES
    assert (tmp_path / "fma_small.zip").read_bytes() == ARCHIVE
    assert sorted(path.name for path in (tmp_path / ".fetch/fma_small").glob("*.json")) == [
        "archive.json",
        "fetched.json",
    ]


def test_again_without_a_network_or_an_archive(server: ArchiveServer, tmp_path: Path) -> None:
    first, _ = fetch(wanted(server, tmp_path))
    (tmp_path / "fma_small.zip").unlink()
    server.requests.clear()
    assert fetch(wanted(server, tmp_path)) == (first, 0)
    assert server.requests == []


def test_a_lost_file_comes_from_the_kept_archive(server: ArchiveServer, tmp_path: Path) -> None:
    fetch(wanted(server, tmp_path))
    (tmp_path / "fma_small/000/000003.mp3").unlink()
    server.requests.clear()
    assert fetch(wanted(server, tmp_path))[1] == 1
    assert server.requests == []
    assert tree(tmp_path) == FILES


def test_verification_finds_what_time_and_size_do_not_tell(
    server: ArchiveServer, tmp_path: Path
) -> None:
    fetch(wanted(server, tmp_path))
    clip = tmp_path / "fma_small/000/000003.mp3"
    before = clip.stat()
    clip.write_bytes(bytes(before.st_size))
    os.utime(clip, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert fetch(wanted(server, tmp_path))[1] == 0
    assert fetch(wanted(server, tmp_path), verify=True)[1] == 1
    assert tree(tmp_path) == FILES


def test_streamed(server: ArchiveServer, tmp_path: Path) -> None:
    fetched, _ = fetch(wanted(server, tmp_path, stream=True))
    assert fetched.verified == ("crc32", "checksums")
    assert tree(tmp_path) == FILES
    assert not (tmp_path / "fma_small.zip").exists()
    assert fetch(wanted(server, tmp_path, stream=True))[1] == 0
    # Asked for with its archive, the sha1 is still to be compared; the files are there.
    fetched, written = fetch(wanted(server, tmp_path))
    assert (fetched.verified, written) == (("sha1", "crc32", "checksums"), 0)


def test_streaming_needs_ranges(server: ArchiveServer, tmp_path: Path) -> None:
    server.has_ranges = False
    with pytest.raises(UnknownFormat, match="serves no byte ranges, which --stream needs"):
        contact.fn(wanted(server, tmp_path, stream=True))
    assert fetch(wanted(server, tmp_path))[1] == len(FILES)


def test_a_local_mirror_is_read_where_it_lies(tmp_path: Path) -> None:
    (tmp_path / "mirror").mkdir()
    (tmp_path / "mirror/fma_small.zip").write_bytes(ARCHIVE)
    for mirror, to in ((f"file://{tmp_path}/mirror", "a"), (f"{tmp_path}/mirror", "b")):
        sha1 = {"fma_small": sha1_of(ARCHIVE)}
        _, asked = wanted_archives("fma_small", str(tmp_path / to), mirror=mirror, sha1=sha1)
        assert fetch(asked)[1] == len(FILES)
        assert sorted(path.name for path in (tmp_path / to).iterdir()) == [".fetch", "fma_small"]
    with pytest.raises(Mismatched, match="delete it to have it fetched, or give --sha1"):
        fetch(replace(asked, sha1="0" * 40, data=Folder(tmp_path / "c")))


def test_an_evil_archive_is_refused_before_it_is_downloaded(
    server: ArchiveServer, tmp_path: Path
) -> None:
    evil = zipped({**FILES, "fma_small/../../evil.mp3": b"evil"})
    server.files["fma_small.zip"] = evil
    for stream in (False, True):
        with pytest.raises(BadArchive, match="leads out of its folder"):
            fetch(wanted(server, tmp_path / "data", stream=stream, content=evil))
    assert not list(tmp_path.rglob("*.mp3"))
    assert not list(tmp_path.rglob("*.partial"))


def test_a_file_that_does_not_fit_the_archives_own_list(
    server: ArchiveServer, tmp_path: Path
) -> None:
    bad = zipped(FILES | {"fma_small/000/000003.mp3": b"another clip"})
    server.files["fma_small.zip"] = bad
    with pytest.raises(BadArchive, match=r"'checksums' has other hashes for '000/000003.mp3'"):
        fetch(wanted(server, tmp_path, content=bad))
    assert find_fetched.fn(wanted(server, tmp_path, content=bad)) is None


def test_no_room_for_what_is_in_it(
    server: ArchiveServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = len(ARCHIVE) + sum(map(len, FILES.values())) - 1
    monkeypatch.setattr("storage.space._free", lambda _path: free)
    with pytest.raises(Full, match="use --stream") as caught:
        fetch(wanted(server, tmp_path))
    assert str(tmp_path) in str(caught.value)
    assert not list(tmp_path.rglob("*.partial"))
    assert fetch(wanted(server, tmp_path, stream=True))[1] == len(FILES)


def test_what_was_asked_for() -> None:
    table, clips = wanted_archives("fma_small", "data")
    assert (table.name, clips.name) == ("fma_metadata", "fma_small")
    assert clips.source.uri == f"{fma_archives.ADDRESS}/fma_small.zip"
    assert clips.sha1 == fma_archives.SHA1["fma_small"]
    assert clips.archives == Folder(Path.cwd() / "data")
    (alone,) = wanted_archives("fma_metadata", "s3://box/fma")
    assert alone.archives is not None
    assert alone.archives.path.name == "archives"
    assert wanted_archives("fma_small", "s3://box/fma", stream=True)[0].archives is None
    assert parse_sha1(["fma_small=ab", "fma_full = cd"]) == {"fma_small": "ab", "fma_full": "cd"}


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"dataset": "fma_tiny"}, CatalogueError, "'fma_tiny' is no archive of FMA"),
        ({"sha1": {"fma_tiny": "0" * 40}}, UsageError, "names 'fma_tiny'; name one of"),
        ({"sha1": {"fma_small": "0" * 39}}, UsageError, "has not 40 hex digits"),
        ({"mirror": "ftp://host"}, UnknownFormat, "'ftp', which is not known"),
        ({"to": "gs://box"}, UnknownFormat, "'gs', which is not known"),
        ({"archives": "s3://box"}, UsageError, "--archives is s3://box; name a folder"),
    ],
)
def test_what_cannot_be_asked_for(
    options: dict[str, object], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        wanted_archives(**{"dataset": "fma_small", "to": "data", **options})  # type: ignore[arg-type]


def test_the_time_that_is_left_is_said() -> None:
    now, said, shown = [0.0], list[str](), list[int]()
    pace = Pace(
        "fma_small",
        lambda done, _note: shown.append(done),
        say=said.append,
        clock=lambda: now[0],
    )
    for second in range(400):
        now[0] = float(second)
        pace((100 + second) * 2**20, 1_100 * 2**20)
    assert said == [
        "fma_small: 103 of 1,100 MiB are there; at 1.0 MiB/s the rest takes 17 min",
        "fma_small: 403 of 1,100 MiB are there; at 1.0 MiB/s the rest takes 12 min",
    ]
    assert shown[-1] == 499
    assert [duration(seconds) for seconds in (5, 99, 600, 36_000)] == [
        "5 s",
        "99 s",
        "10 min",
        "10.0 h",
    ]


def _ignore(*_: object) -> None:
    """Say and show nothing."""
