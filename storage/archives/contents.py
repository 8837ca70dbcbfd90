"""Zip archives of audio: a list of members that was checked, and their content in bounded pieces.

The list is read by Python's `zipfile`. The content is not: its bzip2 reader gives out all that a
few kilobytes unpack to at once, which can be gigabytes.
"""

import bz2
import hashlib
import json
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from storage.archives.member_names import clashes, is_hidden, name_fault
from storage.archives.readers import Reader, SeekableReader
from storage.errors import BadArchive

MEMBER_RATIO = 200
"""Unpacked to packed size above which a member of more than `SMALL_MEMBER` bytes is a bomb."""

SMALL_MEMBER = 16 * 2**20

TOTAL_RATIO = 100
"""The same of all members together to the archive, above `SMALL_TOTAL` bytes."""

SMALL_TOTAL = 64 * 2**20

_PIECE = 2**20
_LOCAL_HEADER = struct.Struct("<4s5H3L2H")
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2}
_ENCRYPTED = 0x1 | 0x40 | 0x2000
_IS_UTF8 = 0x800
_ODD_KINDS = {
    stat.S_IFLNK: "a link",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFBLK: "a device",
    stat.S_IFCHR: "a device",
}


@dataclass(frozen=True, slots=True)
class Member:
    """One file of an archive.

    Attributes
    ----------
    name : str
        Path below the archive's one folder, with `/` between its parts.
    size, packed : int
        Bytes of its content, and those that it takes in the archive.
    crc : int
        CRC-32 of its content.
    method : int
        How it is packed, as `zipfile` numbers it.
    offset : int
        Where its header begins.
    stored_name : bytes
        Its name in that header.
    """

    name: str
    size: int
    packed: int
    crc: int
    method: int
    offset: int
    stored_name: bytes

    @property
    def end(self) -> int:
        """Where its content ends, if its header has no extra fields."""
        return self.offset + _LOCAL_HEADER.size + len(self.stored_name) + self.packed


@dataclass(frozen=True)
class Contents:
    """All files of an archive, in the order in which they lie there.

    Attributes
    ----------
    members : tuple[Member, ...]
    hidden : int
        Further ones, whose names begin with a dot: they are never unpacked.
    """

    members: tuple[Member, ...]
    hidden: int = 0

    @property
    def size(self) -> int:
        """Bytes of all files together."""
        return sum(member.size for member in self.members)

    @property
    def digest(self) -> str:
        """16 hex digits of the names, sizes and CRCs: the same for the same files."""
        lines = sorted((member.name, member.size, member.crc) for member in self.members)
        return hashlib.sha256(json.dumps(lines).encode()).hexdigest()[:16]


def read_contents(reader: Reader, *, root: str, where: str) -> Contents:
    """Read the list of an archive's files, and refuse it if one of them is unsafe.

    Parameters
    ----------
    reader : Reader
    root : str
        The only folder at the top of the archive, as `fma_small`.
    where : str
        The archive's address, for sentences.

    Raises
    ------
    BadArchive
        If it is no zip archive or cut off; if a member leaves `root`, is a link or a device, is
        encrypted, is packed in an unknown way, has the name or the bytes of another one, or unpacks
        to far more than it takes; `MEMBER_RATIO` and `TOTAL_RATIO` are the limits.
    """
    refuse = _Refuse(where)
    file = SeekableReader(reader, refuse)
    try:
        with zipfile.ZipFile(file) as archive:
            infos = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError, struct.error) as error:
        if file.fault is not None:
            raise file.fault from None
        raise refuse(f"it is no zip archive, or cut off ({error})") from error
    for info in infos:
        fault = _fault(info, root)
        if fault:
            raise refuse(f"its member {info.orig_filename!r} {fault}")
    members = sorted(
        (_member(info, root) for info in infos if not _is_folder(info)),
        key=lambda each: each.offset,
    )
    kept = [member for member in members if not is_hidden(member.name)]
    if not kept:
        raise refuse("it holds no file")
    for name in clashes(member.name for member in kept):
        raise refuse(f"its member {name!r} has the name of another one, or of its folder")
    _check_sizes(members, reader.size, refuse)
    return Contents(tuple(kept), hidden=len(members) - len(kept))


def content_of(reader: Reader, member: Member, *, where: str) -> Iterator[bytes]:
    """Unpack one member, at most a mebibyte at a time.

    Raises
    ------
    BadArchive
        If its header is not what the list says, or it unpacks to more than that; and after the last
        piece if size or CRC do not fit.
    """
    damaged = _Refuse(where, f"its member {member.name!r} ")
    at = member.offset + _header_size(reader, member, damaged)
    crc, size = 0, 0
    for piece in _unpacked(reader, at, member, damaged):
        crc, size = zlib.crc32(piece, crc), size + len(piece)
        if size > member.size:
            break
        yield piece
    if size != member.size:
        more = "at least " if size > member.size else ""
        raise damaged(f"unpacks to {more}{size:,} bytes, not {member.size:,}")
    if crc != member.crc:
        raise damaged(f"has the CRC {crc:08x}, not {member.crc:08x}")


class _Refuse:
    """Makes the errors of one archive."""

    def __init__(self, where: str, subject: str = "") -> None:
        self._where, self._subject = where, subject

    def __call__(self, reason: str) -> BadArchive:
        return BadArchive(
            f"{self._where} is refused: {self._subject}{reason}; fetch it from another --mirror."
        )


def _fault(info: zipfile.ZipInfo, root: str) -> str | None:
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind in _ODD_KINDS:
        return f"is {_ODD_KINDS[kind]}"
    if info.flag_bits & _ENCRYPTED:
        return "is encrypted"
    if not _is_folder(info) and info.compress_type not in _METHODS:
        return f"is packed by the method {info.compress_type}, which is not known"
    if info.file_size > SMALL_MEMBER and info.file_size > MEMBER_RATIO * info.compress_size:
        return f"is a bomb: {info.compress_size:,} bytes that unpack to {info.file_size:,}"
    return name_fault(info.orig_filename, root=root)


def _is_folder(info: zipfile.ZipInfo) -> bool:
    # an extra field may give `filename` another value: what is checked is what is used
    return info.orig_filename.endswith("/")


def _member(info: zipfile.ZipInfo, root: str) -> Member:
    encoding = "utf-8" if info.flag_bits & _IS_UTF8 else "cp437"
    return Member(
        name=info.orig_filename.removeprefix(f"{root}/"),
        size=info.file_size,
        packed=info.compress_size,
        crc=info.CRC,
        method=info.compress_type,
        offset=info.header_offset,
        stored_name=info.orig_filename.encode(encoding),
    )


def _check_sizes(members: Sequence[Member], archive_size: int, refuse: _Refuse) -> None:
    total, end, before = 0, 0, ""
    for member in members:
        if member.offset < end:
            raise refuse(f"its members {before!r} and {member.name!r} share bytes")
        end, total, before = member.end, total + member.size, member.name
    if end > archive_size:
        raise refuse(f"its member {before!r} is cut off")
    if total > SMALL_TOTAL and total > TOTAL_RATIO * archive_size:
        raise refuse(f"it is a bomb: {archive_size:,} bytes that unpack to {total:,}")


def _header_size(reader: Reader, member: Member, damaged: _Refuse) -> int:
    head = reader.read_at(member.offset, _LOCAL_HEADER.size + len(member.stored_name))
    if len(head) < _LOCAL_HEADER.size or not head.startswith(b"PK\x03\x04"):
        raise damaged("has no header")
    *_, name_length, extra_length = _LOCAL_HEADER.unpack_from(head)
    if head[_LOCAL_HEADER.size :] != member.stored_name or name_length != len(member.stored_name):
        raise damaged("has another name in its header")
    return int(_LOCAL_HEADER.size + name_length + extra_length)


class _Unpacker(Protocol):
    def feed(self, packed: bytes) -> Iterator[bytes]: ...


class _Stored:
    def feed(self, packed: bytes) -> Iterator[bytes]:
        yield packed


class _Deflated:
    def __init__(self) -> None:
        self._stream = zlib.decompressobj(-zlib.MAX_WBITS)

    def feed(self, packed: bytes) -> Iterator[bytes]:
        while not self._stream.eof:
            piece = self._stream.decompress(packed, _PIECE)
            yield piece
            packed = self._stream.unconsumed_tail
            if not packed and len(piece) < _PIECE:
                return


class _Bzipped:
    def __init__(self) -> None:
        self._stream = bz2.BZ2Decompressor()

    def feed(self, packed: bytes) -> Iterator[bytes]:
        while not self._stream.eof:
            yield self._stream.decompress(packed, _PIECE)
            packed = b""
            if self._stream.needs_input:
                return


def _unpacked(reader: Reader, start: int, member: Member, damaged: _Refuse) -> Iterator[bytes]:
    makers: dict[int, type[_Unpacker]] = {
        zipfile.ZIP_STORED: _Stored,
        zipfile.ZIP_DEFLATED: _Deflated,
        zipfile.ZIP_BZIP2: _Bzipped,
    }
    unpacker = makers[member.method]()
    at, end = start, start + member.packed
    while at < end:
        packed = reader.read_at(at, min(_PIECE, end - at))
        if not packed:
            raise damaged("is cut off")
        at += len(packed)
        try:
            yield from unpacker.feed(packed)
        except (OSError, EOFError, zlib.error) as error:
            raise damaged(f"is damaged ({error})") from error
