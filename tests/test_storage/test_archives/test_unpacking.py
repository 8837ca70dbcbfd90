"""Unpacking to a folder and to a bucket, from wherever the archive lies."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from archive_server import ArchiveServer, serving
from fma_zips import files_of, zipped

from storage.archives import unpacking
from storage.archives.address import parse_origin
from storage.archives.archive_file import ArchiveAt
from storage.archives.contents import read_contents
from storage.archives.fetch_notes import (
    Fetched,
    compare_listed,
    note_archive,
    note_fetched,
    read_archive_sha1,
    read_fetched,
    read_notes,
)
from storage.archives.members import Contents
from storage.archives.origin import Origin, Stored
from storage.archives.unpacking import Unpacking, plan_unpacking, write_members
from storage.errors import BadArchive, Full, Mismatched, UnknownFormat, Unreachable
from storage.places.bucket import Bucket
from storage.places.folder import Folder
from storage.places.location import Location
from storage.places.space import check_space
from tasks.worker.unpacking import PartJob
from tasks.worker.unpacking import unpack as unpack_job

FILES = files_of("fma_small", count=20)
ARCHIVE = zipped(FILES)
PLAIN = {name.removeprefix("fma_small/"): data for name, data in FILES.items()}


@pytest.fixture
def server() -> Iterator[ArchiveServer]:
    with serving(files={"fma_small.zip": ARCHIVE}) as server:
        yield server


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "MEMBERS_A_PART", 8)


@pytest.fixture
def archive(tmp_path: Path) -> ArchiveAt:
    return at(Stored(Folder(tmp_path / "mirror" / "fma_small.zip")), ARCHIVE)


def at(origin: Origin, content: bytes | None = None) -> ArchiveAt:
    if content is not None:
        assert origin.location is not None
        origin.location.write_bytes(content)
    facts = origin.facts()
    assert facts.size is not None
    return ArchiveAt.of(origin, facts)


def contents(archive: ArchiveAt) -> Contents:
    with archive.open() as file:
        return read_contents(file, root="fma_small")


def planned(archive: ArchiveAt, place: Location, *, trust: bool = True) -> Unpacking:
    there = {entry.name: entry for entry in (place / "fma_small").list(recursive=True)}
    return plan_unpacking(contents(archive), there, read_notes(place / "notes"), trust=trust)


def unpack(archive: ArchiveAt, place: Location, plan: Unpacking) -> tuple[int, int]:
    """Unpack all parts, and return how many files were written and how many were there."""
    written, reused = 0, 0
    for part in plan.parts:
        with archive.open() as file:
            found = write_members(
                file,
                part,
                target=place / "fma_small",
                notes=place / "notes",
            )
        written, reused = written + found[0], reused + found[1]
    return written, reused


def tree(place: Location) -> Mapping[str, bytes]:
    folder = place / "fma_small"
    return {entry.name: (folder / entry.name).read_bytes() for entry in folder.list(recursive=True)}


class TestPlaces:
    def test_all_of_it_then_nothing(self, archive: ArchiveAt, place: Location) -> None:
        plan = planned(archive, place)
        assert [part.number for part in plan.parts] == [0, 1, 2]
        assert plan.size == sum(map(len, FILES.values()))
        assert unpack(archive, place, plan) == (22, 0)
        assert tree(place) == PLAIN
        again = planned(archive, place)
        assert again.parts == ()
        assert {note.name for note in again.done} == set(PLAIN)

    def test_what_a_kill_left_is_compared_and_kept(
        self, archive: ArchiveAt, place: Location
    ) -> None:
        plan = planned(archive, place)
        unpack(archive, place, replace(plan, parts=plan.parts[:1]))
        first = plan.parts[1].members[0].name
        (place / "fma_small" / first).write_bytes(PLAIN[first])  # its part was not noted
        rest = planned(archive, place)
        assert [part.number for part in rest.parts] == [1, 2]
        assert rest.parts[0].suspects == {first}
        before = (place / "fma_small" / first).entry()
        assert unpack(archive, place, rest) == (13, 1)
        assert (place / "fma_small" / first).entry() == before
        assert tree(place) == PLAIN

    def test_lost_and_changed_files_alone_are_written_again(
        self, archive: ArchiveAt, place: Location
    ) -> None:
        unpack(archive, place, planned(archive, place))
        lost, cut, changed = sorted(PLAIN)[:3]
        (place / "fma_small" / lost).delete()
        (place / "fma_small" / cut).write_bytes(PLAIN[cut][:100])
        (place / "fma_small" / changed).write_bytes(bytes(len(PLAIN[changed])))
        plan = planned(archive, place)
        assert [member.name for part in plan.parts for member in part.members] == [
            lost,
            cut,
            changed,
        ]
        assert unpack(archive, place, plan) == (3, 0)
        assert tree(place) == PLAIN
        assert planned(archive, place).parts == ()

    def test_verification_reads_and_repairs(self, archive: ArchiveAt, place: Location) -> None:
        unpack(archive, place, planned(archive, place))
        plan = planned(archive, place, trust=False)
        assert sum(len(part.suspects) for part in plan.parts) == 22
        assert unpack(archive, place, plan) == (0, 22)

    def test_a_damaged_member_is_not_written(self, place: Location, tmp_path: Path) -> None:
        data = bytearray(zipped(FILES, method=zipfile.ZIP_STORED))
        data[data.find(PLAIN["000/000003.mp3"][:20])] ^= 1
        bad = at(Stored(Folder(tmp_path / "bad.zip")), bytes(data))
        with pytest.raises(BadArchive, match=r"000003.mp3' has the CRC"):
            unpack(bad, place, planned(bad, place))
        assert set(tree(place)) == {f"000/00000{number}.mp3" for number in range(3)}
        assert read_notes(place / "notes") == {}

    def test_large_members_are_whole_or_not_there(self, place: Location, tmp_path: Path) -> None:
        large = bytes(range(256)) * 80_000 + b"end"
        data = zipped({"fma_small/large": large}, method=zipfile.ZIP_STORED)
        good = at(Stored(Folder(tmp_path / "good.zip")), data)
        unpack(good, place, planned(good, place))
        assert tree(place) == {"large": large}
        (place / "fma_small" / "large").delete()
        bad = at(Stored(Folder(tmp_path / "bad.zip")), data.replace(b"end", b"END"))
        with pytest.raises(BadArchive, match="has the CRC"):
            unpack(bad, place, planned(bad, place))
        assert tree(place) == {}

    def test_notes_of_a_whole_fetch(self, place: Location) -> None:
        assert read_fetched(place / "notes") is None
        files = tuple(read_notes(place / "notes").values())
        fetched = Fetched(source="x", digest="0", sha1="1", verified=("crc32",), files=files)
        note_fetched(place / "notes", fetched)
        assert read_fetched(place / "notes") == fetched
        (place / "notes" / "fetched.json").write_bytes(b"{")
        assert read_fetched(place / "notes") is None


class TestSources:
    def test_straight_from_a_server(self, server: ArchiveServer, tmp_path: Path) -> None:
        origin = parse_origin(f"{server.url}/fma_small.zip")
        unpack(at(origin), Folder(tmp_path), planned(at(origin), Folder(tmp_path)))
        assert tree(Folder(tmp_path)) == PLAIN
        assert all(asked.startswith("bytes=") for _, asked in server.requests)

    def test_nothing_is_read_twice(self, server: ArchiveServer, tmp_path: Path) -> None:
        archive = at(parse_origin(f"{server.url}/fma_small.zip"))
        plan = planned(archive, Folder(tmp_path))
        server.sent = 0
        for part in plan.parts:
            unpack_job(
                PartJob(
                    archive=archive,
                    part=part,
                    target=Folder(tmp_path / "fma_small"),
                    notes=Folder(tmp_path / "notes"),
                )
            )
        assert tree(Folder(tmp_path)) == PLAIN
        assert server.sent <= len(ARCHIVE)

    def test_straight_from_a_bucket_to_a_bucket(self, bucket: Bucket) -> None:
        archive = at(Stored(bucket / "mirror" / "fma_small.zip"), ARCHIVE)
        unpack(archive, bucket, planned(archive, bucket))
        assert tree(bucket) == PLAIN

    def test_a_line_that_drops(self, server: ArchiveServer, tmp_path: Path) -> None:
        archive = at(parse_origin(f"{server.url}/fma_small.zip"))
        server.drop_after = (20_000, 200_000)
        unpack(archive, Folder(tmp_path), planned(archive, Folder(tmp_path)))
        assert tree(Folder(tmp_path)) == PLAIN

    def test_a_content_that_changes(self, server: ArchiveServer) -> None:
        origin = parse_origin(f"{server.url}/fma_small.zip")
        archive = at(origin)
        server.files["fma_small.zip"] = zipped(files_of("fma_small", count=20, seed=9))
        with pytest.raises(Mismatched, match="changed while it was unpacked"):
            contents(archive)

    def test_a_server_out_of_order_is_a_fault_and_no_bad_archive(
        self, server: ArchiveServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("storage.archives.retries.time", SimpleNamespace(sleep=lambda _s: None))
        archive = at(parse_origin(f"{server.url}/fma_small.zip"))
        server.status = 503
        with pytest.raises(Unreachable, match=r"503 .*in 8 tries in a row"):
            contents(archive)

    def test_no_ranges(self, server: ArchiveServer) -> None:
        server.has_ranges = False
        origin = parse_origin(f"{server.url}/fma_small.zip")
        assert origin.facts().has_ranges is False
        with at(origin).open() as file:
            file.seek(100)
            with pytest.raises(UnknownFormat, match=r"serves no byte ranges.*leave --stream out"):
                file.read(5)

    def test_a_reader_reads_ahead_and_never_past_the_end(self, server: ArchiveServer) -> None:
        origin = parse_origin(f"{server.url}/fma_small.zip")
        archive = at(origin)
        server.requests.clear()
        with archive.open() as file:
            for start in (0, 5, 1_000, len(ARCHIVE) - 3):
                file.seek(start)
                assert file.read(10) == ARCHIVE[start : start + 10]
            file.seek(len(ARCHIVE) + 5)
            assert file.read() == b""
        assert len(server.requests) == 1

    def test_an_empty_archive(self, server: ArchiveServer) -> None:
        server.files["fma_small.zip"] = b""
        with pytest.raises(BadArchive, match="has 0 bytes"):
            parse_origin(f"{server.url}/fma_small.zip").facts()


@pytest.mark.parametrize(
    ("listing", "wrong"),
    [
        ("{a}  a\n{b}  sub/b\n", []),
        ("{a} *a\n{b}  ./sub/b\n\n", []),
        ("{b}  a\n{b}  sub/b\n", ["a"]),
        ("{a}  a\n{b}  sub/c\n", ["sub/c"]),
        ("\ufeff{a}  top/a\r\n# a comment\r\n{b}  ./top/sub/b\r\n", []),
        ("{a}  a\n{b}  sub/.DS_Store\n", []),
        ("{a}  a\n{b}  ../b\n", ["../b"]),
    ],
)
def test_the_list_of_hashes(listing: str, wrong: list[str]) -> None:
    files = [
        unpacking.FileNote("a", 1, 0, "a" * 40, ""),
        unpacking.FileNote("sub/b", 1, 0, "b" * 40, ""),
    ]
    text = listing.format(a="A" * 40, b="b" * 40)
    assert compare_listed(text, files, root="top")[0] == wrong


def test_files_that_the_list_leaves_out() -> None:
    files = [unpacking.FileNote(name, 1, 0, "a" * 40, "") for name in ("a", "sub/b", "sub/c")]
    listing = f"{'a' * 40}  sub/b\n{'a' * 40}  top/a\n"
    assert compare_listed(listing, files, root="top")[1] == ["sub/c"]


def test_the_hash_of_a_kept_archive_is_noted_until_it_changes(place: Location) -> None:
    place_of = place / "x.zip"
    place_of.write_bytes(b"one")
    entry = place_of.entry()
    assert entry is not None
    assert read_archive_sha1(place, entry) is None
    note_archive(place, entry, sha1="1" * 40)
    assert read_archive_sha1(place, entry) == "1" * 40
    assert read_archive_sha1(place, replace(entry, etag="later")) is None


def test_no_room(tmp_path: Path, bucket: Bucket) -> None:
    target = Folder(tmp_path / "not" / "yet" / "there")
    check_space([(target, 1_000), (bucket, 2**70)], remedy="none needed")
    with pytest.raises(Full, match=r"has room for .* GiB, but .* GiB are to come: free some\."):
        check_space([(target, 2**62), (Folder(tmp_path), 2**62)], remedy="free some")
    assert not target.path.exists()
