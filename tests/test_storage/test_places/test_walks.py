"""Listings of folders that people have: pipes, circles of links, names that are no text."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.errors import Refused, StorageError, UnknownFormat
from storage.places.address import parse_location
from storage.places.bucket import Bucket
from storage.places.folder import Folder
from storage.places.location import Location


def odd(place: Location) -> dict[str, str]:
    """Give what is passed by, and the reason."""
    return {each.path: str(each.reason) for each in place.walk().passed_by}


def names(place: Location) -> list[str]:
    return [each.name for each in place.walk().files]


class TestContract:
    def test_files_at_any_depth_and_what_is_hidden_once(self, place: Location) -> None:
        assert place.walk().files == place.walk().passed_by == ()
        for name in ("b", "a/1", "a/deep/2", "100% #1 %20", "ü/e\u0301 🎸"):
            (place / name).write_bytes(b"xyz")
        for hidden in (".hidden", "a/.lock", ".git/x", ".git/deep/y"):
            (place / hidden).write_bytes(b"not listed")
        found = place.walk()
        assert [each.name for each in found.files] == sorted(
            ["100% #1 %20", "a/1", "a/deep/2", "b", "ü/e\u0301 🎸"]
        )
        assert list(found.files) == place.list(recursive=True)
        assert {each.size for each in found.files} == {3}
        assert odd(place) == dict.fromkeys((".hidden", "a/.lock", ".git"), "name")
        assert all(each.files == 1 and "begins with a dot" in each.why for each in found.passed_by)


@pytest.fixture
def music(tmp_path: Path) -> Path:
    """Make a folder of one song."""
    folder = tmp_path / "music"
    (folder / "rock").mkdir(parents=True)
    (folder / "rock" / "a.wav").write_bytes(b"song")
    return folder


@pytest.fixture
def odd_things(music: Path) -> Iterator[set[str]]:
    """Lay what is no file beside the song, and give its names."""
    os.mkfifo(music / "rock" / "pipe.wav")
    (music / "rock" / "broken.wav").symlink_to("nowhere.wav")
    (music / "rock" / "device.wav").symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as bound:
        # a socket's path has an end at some 100 characters
        here = os.open(music / "rock", os.O_RDONLY)
        bound.bind(f"/proc/self/fd/{here}/socket.wav")
        os.close(here)
        yield {"rock/pipe.wav", "rock/broken.wav", "rock/device.wav", "rock/socket.wav"}


class TestFolders:
    def test_only_regular_files_are_listed_and_opened(
        self, music: Path, odd_things: set[str]
    ) -> None:
        place = Folder(music)
        assert names(place) == ["rock/a.wav"]
        assert odd(place) == dict.fromkeys(odd_things, "no_regular_file")
        assert [each.name for each in (place / "rock").list()] == ["a.wav"]
        for name in odd_things - {"rock/broken.wav", "rock/socket.wav"}:
            assert not (place / name).exists()
            for read in (
                (place / name).read_bytes,
                (place / name).read_with_etag,
                lambda name=name: (place / name).read_range(0, 1),
                lambda name=name: (place / name).replace_if(b"x", etag="y"),
            ):
                with pytest.raises(Refused, match=r"is no regular file; put a file in its place"):
                    read()
        with pytest.raises(StorageError):
            (place / "rock/socket.wav").read_bytes()

    def test_control_characters_are_legal(self, music: Path) -> None:
        for name in ("ctrl\x07\x1b[31m", "new\nline", "back\\slash"):
            (music / name).write_bytes(b"x")
        assert names(Folder(music)) == [
            "back\\slash",
            "ctrl\x07\x1b[31m",
            "new\nline",
            "rock/a.wav",
        ]

    def test_links_count_and_circles_of_them_end(self, music: Path, tmp_path: Path) -> None:
        (tmp_path / "elsewhere").mkdir()
        (tmp_path / "elsewhere" / "away.wav").write_bytes(b"song")
        (music / "rock" / "away").symlink_to(tmp_path / "elsewhere")
        (music / "rock" / "b.wav").symlink_to("a.wav")
        (music / "rock" / "up").symlink_to("..")
        (music / "rock" / "here").symlink_to(".")
        (music / "rock" / "me.wav").symlink_to("me.wav")
        (music / "one").symlink_to("other")
        (music / "other").symlink_to("one")
        (tmp_path / "elsewhere" / "back").symlink_to(music)
        place = Folder(music)
        assert names(place) == ["rock/a.wav", "rock/away/away.wav", "rock/b.wav"]
        circles = ("rock/up", "rock/here", "rock/me.wav", "one", "other", "rock/away/back")
        assert odd(place) == dict.fromkeys(circles, "link_loop")
        assert place.folders() == ["rock"]

    def test_two_folders_that_link_to_each_other_are_both_read(self, music: Path) -> None:
        (music / "pop").mkdir()
        (music / "pop" / "b.wav").write_bytes(b"song")
        (music / "pop" / "also").symlink_to("../rock")
        (music / "rock" / "also").symlink_to("../pop")
        place = Folder(music)
        assert names(place) == ["pop/also/a.wav", "pop/b.wav", "rock/a.wav", "rock/also/b.wav"]
        assert set(odd(place)) == {"pop/also/also", "rock/also/also"}

    def test_names_that_are_no_text_are_passed_by_together(self, music: Path) -> None:
        raw = os.fsencode(music)
        for name in (b"rock/caf\xe9.wav", b"rock/\xfcber.wav"):
            Path(os.fsdecode(raw + b"/" + name)).write_bytes(b"song")
        nameless = Path(os.fsdecode(raw + b"/ni\xf1os"))
        (nameless / "deeper").mkdir(parents=True)
        for name in ("1.wav", "2.wav", "deeper/3.wav", ".hidden"):
            (nameless / name).write_bytes(b"song")
        (music / os.fsdecode(b"empt\xff")).mkdir()
        found = Folder(music).walk()
        assert [each.name for each in found.files] == ["rock/a.wav"]
        assert {os.fsencode(each.path): each.files for each in found.passed_by} == {
            b"rock/caf\xe9.wav": 1,
            b"rock/\xfcber.wav": 1,
            b"ni\xf1os": 3,
            b"ni\xf1os/.hidden": 1,
            b"empt\xff": 0,
        }
        assert {str(each.reason) for each in found.passed_by} == {"name"}

    def test_a_path_longer_than_the_system_takes_is_passed_by(self, music: Path) -> None:
        here = os.open(music / "rock", os.O_RDONLY)
        for _ in range(25):
            os.mkdir("d" * 200, dir_fd=here)
            deeper = os.open("d" * 200, os.O_RDONLY, dir_fd=here)
            os.close(here)
            here = deeper
        os.close(os.open("deep.wav", os.O_CREAT | os.O_WRONLY, dir_fd=here))
        os.close(here)
        assert names(Folder(music)) == ["rock/a.wav"]
        (passed,) = Folder(music).walk().passed_by
        assert (str(passed.reason), "longer than the system takes" in passed.why) == ("name", True)

    def test_a_folder_that_may_not_be_read_is_named(
        self, music: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (music / os.fsdecode(b"caf\xe9")).mkdir()
        real = os.scandir

        def scandir(path: Path) -> object:
            if os.fsencode(path).endswith(b"\xe9"):
                raise PermissionError(13, "Permission denied", str(path))
            return real(path)

        monkeypatch.setattr(os, "scandir", scandir)
        with pytest.raises(Refused) as refusal:
            Folder(music).walk()
        assert rf"listing {music}/caf\xe9 failed: Permission denied" in str(refusal.value)

    def test_a_folder_that_is_a_circle_itself_is_refused_with_the_remedy(
        self, tmp_path: Path
    ) -> None:
        (tmp_path / "me").symlink_to("me")
        with pytest.raises(Refused, match=r"me failed: .*; remove the link there that leads to it"):
            Folder(tmp_path / "me").walk()

    def test_an_address_that_is_no_text_is_refused(self) -> None:
        for address in (os.fsdecode(b"/music/caf\xe9"), os.fsdecode(b"s3://box/caf\xe9")):
            with pytest.raises(UnknownFormat, match=r"caf\\xe9' is not UTF-8: rename it, or give"):
                parse_location(address)


class TestBuckets:
    def test_a_key_with_an_empty_part_is_passed_by(self, bucket: Bucket) -> None:
        for name in ("music/rock/a.wav", "music//b.wav", "music/rock//c.wav", "music//x//d.wav"):
            (bucket / name).write_bytes(b"x")
        (bucket / "music/empty").write_bytes(b"")
        assert names(bucket / "music") == ["empty", "rock/a.wav"]
        assert odd(bucket / "music") == dict.fromkeys(
            ("/b.wav", "rock//c.wav", "/x//d.wav"), "name"
        )
        assert "empty part" in bucket.walk().passed_by[0].why
