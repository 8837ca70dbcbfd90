"""The stages of a fetch, one after the other in this process, to a place of every kind."""

from __future__ import annotations

import io
import os
import struct
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from archive_server import ArchiveServer, serving
from fma_zips import files_of, sha1_of, zipped

from flows.engine.download_progress import DownloadProgress, duration
from flows.engine.fetch_request import LOGIN, hide_login, parse_sha1, wanted_archives
from flows.errors import UsageError
from genre_model.data import fma_archives
from genre_model.errors import CatalogueError
from storage.archives.fetch_notes import Fetched
from storage.archives.http_origin import HttpOrigin
from storage.archives.retries import Patience
from storage.errors import (
    BadArchive,
    Full,
    Mismatched,
    NoAnswer,
    NotFound,
    UnknownFormat,
    Unreachable,
)
from storage.places.bucket import Bucket
from storage.places.folder import Folder
from storage.places.location import Location
from tasks.fetch import (
    Wanted,
    check_room,
    contact,
    find_fetched,
    get_archive,
    plan_files,
    verify_fetched,
)
from tasks.worker.unpacking import PartJob, unpack

FILES = files_of("fma_small", count=12)
ARCHIVE = zipped(FILES)
EVERYTHING = ("sha1", "crc32", "checksums")


@pytest.fixture
def server() -> Iterator[ArchiveServer]:
    with serving(files={"fma_small.zip": ARCHIVE}) as server:
        yield server


Asking = Callable[..., Wanted]


@pytest.fixture
def wanted(server: ArchiveServer, place: Location, tmp_path: Path) -> Asking:
    """Ask for fma_small of the server in `place`, its archive to be kept in a folder."""

    def ask(*, stream: bool = False, content: bytes = ARCHIVE, mirror: str | None = None) -> Wanted:
        _, found = wanted_archives(
            "fma_small",
            place.uri,
            mirror=mirror or server.url,
            sha1={"fma_small": sha1_of(content)},
            stream=stream,
            archives=str(tmp_path / "archives"),
            options=options_of(place),
        )
        return found

    return ask


def options_of(place: Location) -> dict[str, Any] | None:
    return dict(place.options) if isinstance(place, Bucket) else None


def fetch(asked: Wanted, *, verify: bool = False) -> tuple[Fetched, int]:
    """Do what the flow does; return what was noted, and how many files were written."""
    found = None if verify else find_fetched.fn(asked)
    if found is not None:
        return found, 0
    facts = contact.fn(asked)
    check_room.fn([(asked, facts)])
    archive = get_archive.fn(asked, facts, on_bytes=_ignore, say=_ignore)
    plan = plan_files.fn(asked, archive, verify=verify)
    written = 0
    for part in plan.parts:
        job = PartJob(
            archive=archive,
            part=part,
            target=asked.target,
            notes=asked.notes,
        )
        written += unpack(job).written
    return verify_fetched.fn(asked, archive), written


def tree(data: Location) -> dict[str, bytes]:
    return {
        f"fma_small/{entry.name}": (data / "fma_small" / entry.name).read_bytes()
        for entry in (data / "fma_small").list(recursive=True)
    }


class TestEveryPlace:
    def test_hidden_files_are_left_out(
        self, wanted: Asking, place: Location, server: ArchiveServer
    ) -> None:
        hidden = {"fma_small/.DS_Store": b"x", "fma_small/000/.git/config": b"y"}
        server.files["fma_small.zip"] = odd = zipped(FILES | hidden)
        fetched, written = fetch(wanted(content=odd))
        assert (written, tree(place)) == (len(FILES), FILES)
        assert fetched.remarks == ("left out, since their names begin with a dot: 2",)
        assert fetch(wanted(content=odd)) == (fetched, 0)

    def test_clips_that_the_archives_own_list_leaves_out(
        self, wanted: Asking, server: ArchiveServer
    ) -> None:
        lines = FILES["fma_small/checksums"].splitlines(keepends=True)
        shorter = FILES | {"fma_small/checksums": b"".join(lines[2:])}
        server.files["fma_small.zip"] = odd = zipped(shorter)
        fetched, _ = fetch(wanted(content=odd))
        assert fetched.verified == ("sha1", "crc32")
        (remark,) = fetched.remarks
        assert "has no hash of 2 clips" in remark

    def test_with_its_archive(self, wanted: Asking, place: Location, tmp_path: Path) -> None:
        fetched, written = fetch(wanted())
        assert fetched.verified == EVERYTHING
        assert (len(fetched.files), written) == (len(FILES), len(FILES))
        assert tree(place) == FILES
        assert (tmp_path / "archives/fma_small.zip").read_bytes() == ARCHIVE
        notes = [entry.name for entry in (place / ".fetch/fma_small").list(recursive=True)]
        assert notes == ["archive.json", "fetched.json"]

    def test_again_without_a_network_or_an_archive(
        self, wanted: Asking, server: ArchiveServer, tmp_path: Path
    ) -> None:
        first, _ = fetch(wanted())
        (tmp_path / "archives/fma_small.zip").unlink()
        server.requests.clear()
        assert fetch(wanted()) == (first, 0)
        assert server.requests == []

    def test_a_lost_file_comes_from_the_kept_archive(
        self, wanted: Asking, place: Location, server: ArchiveServer
    ) -> None:
        fetch(wanted())
        (place / "fma_small/000/000003.mp3").delete()
        server.requests.clear()
        assert fetch(wanted())[1] == 1
        assert server.requests == []
        assert tree(place) == FILES

    def test_verification_mends_what_is_damaged(self, wanted: Asking, place: Location) -> None:
        fetch(wanted())
        damage(place / "fma_small/000/000003.mp3")
        # An ETag tells what time and size do not.
        assert fetch(wanted())[1] == (1 if isinstance(place, Bucket) else 0)
        damage(place / "fma_small/000/000004.mp3")
        assert fetch(wanted(), verify=True)[1] == (1 if isinstance(place, Bucket) else 2)
        assert tree(place) == FILES

    def test_streamed(self, wanted: Asking, place: Location, tmp_path: Path) -> None:
        fetched, _ = fetch(wanted(stream=True))
        assert fetched.verified == ("crc32", "checksums")
        assert tree(place) == FILES
        assert not (tmp_path / "archives").exists()
        assert fetch(wanted(stream=True))[1] == 0
        # Asked for with its archive, the sha1 is still to be compared; the files are there.
        fetched, written = fetch(wanted())
        assert (fetched.verified, written) == (EVERYTHING, 0)

    def test_streaming_needs_ranges(self, wanted: Asking, server: ArchiveServer) -> None:
        server.has_ranges = False
        with pytest.raises(UnknownFormat, match="serves no byte ranges, which --stream needs"):
            contact.fn(wanted(stream=True))
        assert fetch(wanted())[1] == len(FILES)

    @pytest.mark.parametrize("stream", [False, True], ids=["archive", "stream"])
    def test_a_line_that_drops_at_random_bytes(
        self, wanted: Asking, place: Location, server: ArchiveServer, stream: bool
    ) -> None:
        server.drop_after = (2_000, 100_000)
        assert fetch(wanted(stream=stream))[1] == len(FILES)
        assert len(server.requests) > 3
        assert tree(place) == FILES

    @pytest.mark.parametrize("stream", [False, True], ids=["archive", "stream"])
    def test_a_mirror_of_the_same_kind(
        self, wanted: Asking, place: Location, tmp_path: Path, stream: bool
    ) -> None:
        asked = wanted(mirror=(place / "mirror").uri, stream=stream)
        with pytest.raises(NotFound, match=r"mirror/fma_small.zip is not there; check --mirror"):
            fetch(asked)
        (place / "mirror/fma_small.zip").write_bytes(ARCHIVE)
        fetched, written = fetch(asked)
        assert (fetched.source, written) == (f"{place.uri}/mirror/fma_small.zip", len(FILES))
        assert tree(place) == FILES
        # A local mirror is read where it lies.
        is_kept = (tmp_path / "archives").exists()
        assert is_kept is (isinstance(place, Bucket) and not stream)

    @pytest.mark.parametrize("stream", [False, True], ids=["archive", "stream"])
    def test_a_file_that_does_not_fit_the_archives_own_list(
        self, wanted: Asking, place: Location, server: ArchiveServer, stream: bool
    ) -> None:
        clip, listing = "fma_small/000/000003.mp3", FILES["fma_small/checksums"]
        (place / "precious").write_bytes(b"not to be deleted")
        odd = {"fma_small/checksums": listing + b"0" * 40 + b"  ../precious\n"}
        bad = zipped(FILES | odd | {clip: b"another clip"})
        server.files["fma_small.zip"] = bad
        with pytest.raises(BadArchive, match=r"other hashes for '000/000003.mp3', '../precious'"):
            fetch(wanted(content=bad, stream=stream))
        assert tree(place).keys() == FILES.keys() - {clip}
        assert (place / "precious").exists()
        assert find_fetched.fn(wanted(content=bad, stream=stream)) is None

    @pytest.mark.parametrize("stream", [False, True], ids=["archive", "stream"])
    def test_a_member_of_another_crc_is_not_written(
        self, wanted: Asking, place: Location, server: ArchiveServer, stream: bool
    ) -> None:
        clip = "fma_small/000/000003.mp3"
        data = bytearray(zipped(FILES, method=zipfile.ZIP_STORED))
        data[data.find(FILES[clip][:20])] ^= 1
        server.files["fma_small.zip"] = bytes(data)
        with pytest.raises(BadArchive, match=r"000003.mp3' has the CRC"):
            fetch(wanted(content=bytes(data), stream=stream))
        there = tree(place)
        assert clip not in there
        assert there.items() <= FILES.items()

    def test_what_a_killed_one_left_is_thrown_away(self, wanted: Asking, place: Location) -> None:
        fetch(wanted(stream=True))
        clip = place / "fma_small/000/000003.mp3"
        clip.delete()
        if isinstance(clip, Bucket):
            clip._send("TEST", "create_multipart_upload")
        assert fetch(wanted(stream=True))[1] == 1
        assert place.abort_uploads({"fma_small/000/000003.mp3"}) == 0


def damage(clip: Location) -> None:
    """Put other bytes of the same size there, and in a folder of the same time."""
    entry = clip.entry()
    assert entry is not None
    clip.write_bytes(bytes(entry.size))
    if clip.local_path is not None:
        os.utime(clip.local_path, ns=(int(entry.etag), int(entry.etag)))


def link() -> bytes:
    info = zipfile.ZipInfo("fma_small/000/000001.mp3")
    info.external_attr = 0o120777 << 16
    return with_info(info, b"/etc/passwd")


def with_info(info: zipfile.ZipInfo, content: bytes) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr(info, content)
    return held.getvalue()


def encrypted() -> bytes:
    data = bytearray(zipped({"fma_small/000/000001.mp3": b"x"}, method=zipfile.ZIP_STORED))
    at = data.rfind(b"PK\x01\x02")
    struct.pack_into("<H", data, at + 8, 1)
    return bytes(data)


EVIL: dict[str, tuple[Callable[[], bytes], str]] = {
    "zip-slip": (
        lambda: zipped({**FILES, "fma_small/../../evil.mp3": b"evil"}),
        "leads out of its folder",
    ),
    "absolute": (lambda: zipped({**FILES, "/tmp/evil.mp3": b"evil"}), "is absolute"),
    "link": (link, "is a link"),
    "bomb by ratio": (lambda: zipped({"fma_small/bomb": bytes(30 * 2**20)}), "is a bomb"),
    "bomb by total": (
        lambda: zipped({f"fma_small/{number}": bytes(4 * 2**20) for number in range(20)}),
        "it is a bomb",
    ),
    "encrypted": (encrypted, "is encrypted"),
    "cut off": (lambda: ARCHIVE[:-30], "no zip archive, or cut off"),
}


@pytest.mark.parametrize("stream", [False, True], ids=["archive", "stream"])
@pytest.mark.parametrize("evil", EVIL)
def test_an_evil_archive_is_refused_before_anything_is_written(
    wanted: Asking, place: Location, server: ArchiveServer, tmp_path: Path, evil: str, stream: bool
) -> None:
    make, says = EVIL[evil]
    server.files["fma_small.zip"] = content = make()
    with pytest.raises(BadArchive, match=says):
        fetch(wanted(stream=stream, content=content))
    assert place.list(recursive=True) == []
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


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


def test_no_room_for_what_is_in_it(
    server: ArchiveServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = len(ARCHIVE) + sum(map(len, FILES.values())) - 1
    monkeypatch.setattr("storage.places.space._free", lambda _path: free)
    sha1 = {"fma_small": sha1_of(ARCHIVE)}
    _, asked = wanted_archives("fma_small", str(tmp_path), mirror=server.url, sha1=sha1)
    with pytest.raises(
        Full, match=r"free some, use --stream \(which needs 0.3 MiB\), or"
    ) as caught:
        fetch(asked)
    assert str(tmp_path) in str(caught.value)
    assert not list(tmp_path.rglob("*.partial"))
    streamed = replace(asked, archives=None)
    check_room.fn([(streamed, contact.fn(streamed))])
    # Two archives are one need.
    other = replace(streamed, data=Folder(tmp_path / "other"))
    with pytest.raises(Full, match="are to come: free some, or name another folder"):
        check_room.fn([(each, contact.fn(each)) for each in (streamed, other, other)])
    assert fetch(streamed)[1] == len(FILES)


def test_what_was_asked_for() -> None:
    table, clips = wanted_archives("fma_small", "data")
    assert (table.name, clips.name) == ("fma_metadata", "fma_small")
    assert clips.origin.uri == f"{fma_archives.ADDRESS}/fma_small.zip"
    assert clips.sha1 == fma_archives.SHA1["fma_small"]
    assert clips.archives == Folder(Path.cwd() / "data")
    assert clips.kept == Folder(Path.cwd() / "data/fma_small.zip")
    assert replace(clips, archives=None).kept is None
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


def test_options_go_to_the_target_and_to_a_mirror_in_a_bucket(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GENRE_STORAGE_OPTIONS", "endpoint_url=http://of.the.environment")
    given = {"endpoint_url": "http://of.a.block"}
    for options, expected in ((given, given["endpoint_url"]), (None, "http://of.the.environment")):
        for asked in wanted_archives("fma_small", "s3://b/fma", mirror="s3://m", options=options):
            for place in (asked.data, asked.origin.location):
                assert isinstance(place, Bucket)
                assert place.options["endpoint_url"] == expected


def test_no_server_where_it_is_to_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.places.s3_requests._FIRST_PAUSE_S", 0.001)
    options = {"endpoint_url": "http://127.0.0.1:9", "key": "key", "secret": "secret"}
    asked = wanted_archives("fma_small", "s3://box/fma", options=options)[0]
    with pytest.raises(NoAnswer, match=r"'box'; see whether its server .* runs"):
        find_fetched.fn(asked)


def test_a_mirror_at_which_nobody_answers(wanted: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.fetch.FIRST_CONTACT", Patience(tries=2, first_s=0.01))
    asked = wanted(mirror="http://127.0.0.1:9/fma")
    with pytest.raises(NoAnswer, match=r"fma_small.zip does not answer: .* Check --mirror"):
        contact.fn(asked)


def test_a_server_out_of_order_is_a_fault(
    wanted: Asking, server: ArchiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.fetch.FIRST_CONTACT", Patience(tries=2, first_s=0.01))
    server.status = 500
    with pytest.raises(Unreachable, match="answered 500") as caught:
        contact.fn(wanted())
    assert not caught.value.remedied_by_user


def test_no_parameter_of_a_run_holds_a_login(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(LOGIN, "")  # so that what is set below is undone
    with pytest.raises(UsageError, match=f"set {LOGIN}=user:password") as caught:
        wanted_archives("fma_small", str(tmp_path), mirror="http://me:secret@host/fma")
    assert "secret" not in str(caught.value)
    mirror = hide_login("http://me:secret@host/fma/")
    assert (mirror, hide_login(None)) == ("http://host/fma/", None)
    for each in wanted_archives("fma_small", str(tmp_path), mirror=mirror):
        assert isinstance(each.origin, HttpOrigin)
        assert each.origin.login == "me:secret"
        assert each.origin.uri == f"http://host/fma/{each.name}.zip"
    (official, _) = wanted_archives("fma_small", str(tmp_path))
    assert isinstance(official.origin, HttpOrigin)
    assert not official.origin.login  # of a mirror, and for nobody else


def test_a_worker_needs_an_absolute_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT__FLOW_RUN_ID", "0")
    with pytest.raises(UsageError, match=r"the folder is 'data'.*give an absolute path"):
        wanted_archives("fma_small", "data")
    assert wanted_archives("fma_small", "/data")[0].data == Folder(Path("/data"))


def test_the_time_that_is_left_is_said() -> None:
    now, said, shown = [0.0], list[str](), list[int]()
    progress = DownloadProgress(
        "fma_small",
        lambda done, _note: shown.append(done),
        say=said.append,
        clock=lambda: now[0],
    )
    for second in range(400):
        now[0] = float(second)
        progress((100 + second) * 2**20, 1_100 * 2**20)
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
