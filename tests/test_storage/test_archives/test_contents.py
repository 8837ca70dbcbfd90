"""Archives are read whole, or refused in one sentence that names the member."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zipfile
import zlib
from pathlib import Path

import pytest
from fma_zips import files_of, zipped

from storage.archives.archive_file import ArchiveAt, ArchiveFile
from storage.archives.contents import content_of, read_contents
from storage.archives.members import Contents
from storage.archives.origin import Stored
from storage.errors import BadArchive
from storage.places.folder import Folder

FILES = files_of("fma_small", count=10)


def opened(path: Path) -> ArchiveFile:
    entry = Folder(path).entry()
    assert entry is not None
    return ArchiveAt(origin=Stored(Folder(path)), size=entry.size, etag=entry.etag).open()


def contents(path: Path, data: bytes) -> Contents:
    path.write_bytes(data)
    with opened(path) as file:
        return read_contents(file, root="fma_small")


def unpacked(path: Path, data: bytes) -> dict[str, bytes]:
    found = contents(path, data)
    with opened(path) as file:
        return {
            f"fma_small/{member.name}": b"".join(content_of(file, member))
            for member in found.members
        }


def refusal(path: Path, data: bytes) -> str:
    with pytest.raises(BadArchive) as caught:
        unpacked(path, data)
    assert str(caught.value).startswith(f"{path} is refused: ")
    assert caught.value.remedied_by_user
    return str(caught.value)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "fma_small.zip"


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED])
def test_a_good_archive(path: Path, method: int) -> None:
    files = FILES | {"fma_small/large.csv": b"a,b,c\n" * 700_000, "fma_small/empty": b""}
    assert unpacked(path, zipped(files, method=method)) == files


def test_names_that_are_not_ascii(path: Path) -> None:
    files = {"fma_small/Größe/é.mp3": b"x" * 10}
    assert unpacked(path, zipped(files)) == files


def test_the_digest_is_that_of_the_files_and_not_of_their_packing(path: Path) -> None:
    packed = contents(path, zipped(FILES)).digest
    assert contents(path, zipped(FILES, method=zipfile.ZIP_STORED)).digest == packed
    assert contents(path, zipped(FILES | {"fma_small/README.txt": b"?"})).digest != packed


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("../evil", "leads out of its folder"),
        ("fma_small/../../evil", "leads out of its folder"),
        ("/evil", "is absolute"),
        ("C:/evil", "drive letter"),
        ("fma_small\\evil", "backslash"),
        ("fma_metadata/tracks.csv", "not below fma_small/"),
    ],
)
def test_evil_names(path: Path, name: str, says: str) -> None:
    assert says in refusal(path, zipped({**FILES, name: b"evil"}))


def with_info(info: zipfile.ZipInfo, data: bytes = b"x", **before: bytes) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name, content in before.items():
            archive.writestr(f"fma_small/{name}", content)
        archive.writestr(info, data)
    return held.getvalue()


@pytest.mark.parametrize(
    ("mode", "says"), [(0o120777, "is a link"), (0o010644, "is a pipe"), (0o060644, "is a device")]
)
def test_links_and_devices(path: Path, mode: int, says: str) -> None:
    info = zipfile.ZipInfo("fma_small/odd")
    info.external_attr = mode << 16
    assert says in refusal(path, with_info(info, b"/etc"))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name(path: Path) -> None:
    twice = with_info(zipfile.ZipInfo("fma_small/a"), a=b"first")
    assert "'a' has the name of another one" in refusal(path, twice)
    cased = with_info(zipfile.ZipInfo("fma_small/A"), a=b"first")
    assert "'A' has the name of another one" in refusal(path, cased)


def patched(data: bytes, name: str, *, flags: int = 0, method: int | None = None) -> bytes:
    """Change a member's flags or method in both of its headers."""
    changed = bytearray(data)
    for mark, at_flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at_name = 30 if mark == b"PK\x03\x04" else 46
        at = -1
        while (at := changed.find(mark, at + 1)) >= 0:
            if changed[at + at_name : at + at_name + len(name)] == name.encode():
                (now,) = struct.unpack_from("<H", changed, at + at_flags)
                struct.pack_into("<H", changed, at + at_flags, now | flags)
                if method is not None:
                    struct.pack_into("<H", changed, at + at_flags + 2, method)
    return bytes(changed)


def test_encrypted_and_unknown_methods(path: Path) -> None:
    data = zipped(FILES)
    assert "is encrypted" in refusal(path, patched(data, "fma_small/README.txt", flags=1))
    unknown = patched(data, "fma_small/README.txt", method=99)
    assert "is packed by the method 99" in refusal(path, unknown)


def test_bombs(path: Path) -> None:
    one = zipped({"fma_small/bomb": bytes(30 * 2**20)})
    assert "is a bomb" in refusal(path, one)
    many = zipped({f"fma_small/{number}": bytes(4 * 2**20) for number in range(20)})
    assert "it is a bomb" in refusal(path, many)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_DEFLATED])
def test_a_bomb_that_lies_about_its_size_is_never_unpacked_whole(path: Path, method: int) -> None:
    name = "fma_small/bomb"
    data = bytearray(zipped({name: bytes(80 * 2**20)}, method=method))
    for mark, at_size in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = data.find(mark + b"", data.find(mark) + 1)  # the first one is the folder's
        struct.pack_into("<L", data, at + at_size, 1_000)
    tracemalloc.start()
    try:
        assert "'bomb' unpacks to at least" in refusal(path, bytes(data))
        assert tracemalloc.get_traced_memory()[1] < 16 * 2**20
    finally:
        tracemalloc.stop()


def test_a_list_that_would_fill_the_memory_is_not_read(path: Path) -> None:
    size = 2**30
    end = b"PK\x05\x06" + struct.pack("<4H2LH", 0, 0, 1, 1, size, 0, 0)
    with path.open("wb") as file:
        file.truncate(size)
        file.seek(size)
        file.write(end)
    with opened(path) as archive, pytest.raises(BadArchive, match="would take 1,073,741,824 bytes"):
        read_contents(archive, root="fma_small")


def test_members_that_share_bytes(path: Path) -> None:
    data = bytearray(zipped({"fma_small/a": b"x" * 99, "fma_small/b": b"x" * 99}))
    first = data.find(b"PK\x03\x04", 4)
    second = data.find(b"PK\x03\x04", first + 4)
    entry = data.rfind(b"PK\x01\x02")
    assert struct.unpack_from("<L", data, entry + 42) == (second,)
    struct.pack_into("<L", data, entry + 42, first)
    assert "share bytes" in refusal(path, bytes(data))


def test_a_wrong_crc(path: Path) -> None:
    data = bytearray(zipped({"fma_small/a": b"x" * 99}, method=zipfile.ZIP_STORED))
    data[data.find(b"xxx")] ^= 1
    says = refusal(path, bytes(data))
    wrong, right = zlib.crc32(b"y" + b"x" * 98), zlib.crc32(b"x" * 99)
    assert f"'a' has the CRC {wrong:08x}, not {right:08x}" in says


def test_damaged_bytes(path: Path) -> None:
    data = bytearray(zipped({"fma_small/a": FILES["fma_small/README.txt"]}))
    at = data.find(b"BZh")
    data[at + 10 : at + 20] = bytes(10)
    assert "its member 'a' " in refusal(path, bytes(data))


def test_another_name_in_the_members_own_header(path: Path) -> None:
    data = zipped({"fma_small/a": b"x" * 99}).replace(b"fma_small/a", b"fma_small/b", 1)
    assert "another name in its header" in refusal(path, data)


@pytest.mark.parametrize("keep", [0, 3, 100, -1, -30, -200])
def test_cut_off_archives(path: Path, keep: int) -> None:
    assert "no zip archive, or cut off" in refusal(path, zipped(FILES)[:keep])


def test_no_files(path: Path) -> None:
    assert "holds no file" in refusal(path, zipped({}))
    assert "no zip archive" in refusal(path, b"<html>sign in</html>" * 100)
