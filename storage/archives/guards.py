"""What guards against bad archives: names, kinds, sizes and checksums of their members. Pure."""

import stat
import unicodedata
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence

from storage.archives.members import Member
from storage.errors import BadArchive

MEMBER_RATIO = 200
"""Unpacked to packed size above which a member of more than `SMALL_MEMBER` bytes is a bomb."""

SMALL_MEMBER = 16 * 2**20

TOTAL_RATIO = 100
"""The same of all members together to the archive, above `SMALL_TOTAL` bytes."""

SMALL_TOTAL = 64 * 2**20

_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2}
_ENCRYPTED = 0x1 | 0x40 | 0x2000
_ODD_KINDS = {
    stat.S_IFLNK: "a link",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFBLK: "a device",
    stat.S_IFCHR: "a device",
}
_LONGEST_PART, _LONGEST_NAME = 200, 1_000  # bytes: a temporary name adds to the first; S3's keys
_NO_SIGN = ("Cc", "Cf", "Cs")  # control signs, signs that turn or hide text, halves of pairs
_DEVICES = {"CON", "PRN", "AUX", "NUL"} | {
    f"{port}{n}" for port in ("COM", "LPT") for n in "123456789"
}


def refused(uri: str, reason: str) -> BadArchive:
    """Make the error of one archive."""
    return BadArchive(f"{uri} is refused: {reason}; fetch it from another --mirror.")


def member_fault(info: zipfile.ZipInfo, *, root: str) -> str | None:
    """Say what is wrong with a member as it is listed, None if nothing is.

    Parameters
    ----------
    info : zipfile.ZipInfo
    root : str
        The only folder at the top of the archive.
    """
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind in _ODD_KINDS:
        return f"is {_ODD_KINDS[kind]}"
    if info.flag_bits & _ENCRYPTED:
        return "is encrypted"
    if not info.orig_filename.endswith("/") and info.compress_type not in _METHODS:
        return f"is packed by the method {info.compress_type}, which is not known"
    if info.file_size > SMALL_MEMBER and info.file_size > MEMBER_RATIO * info.compress_size:
        return f"is a bomb: {info.compress_size:,} bytes that unpack to {info.file_size:,}"
    return name_fault(info.orig_filename, root=root)


def archive_fault(members: Sequence[Member], *, archive_size: int) -> str | None:
    """Say what is wrong with members as they lie in their archive, None if nothing is.

    Parameters
    ----------
    members : sequence of Member
        In the order in which they lie there.
    archive_size : int
        Bytes.
    """
    total, end, before = 0, 0, ""
    for member in members:
        if member.offset < end:
            return f"its members {before!r} and {member.name!r} share bytes"
        end, total, before = member.end, total + member.size, member.name
    if end > archive_size:
        return f"its member {before!r} is cut off"
    if total > SMALL_TOTAL and total > TOTAL_RATIO * archive_size:
        return f"it is a bomb: {archive_size:,} bytes that unpack to {total:,}"
    return None


def checked(pieces: Iterable[bytes], member: Member, *, uri: str) -> Iterator[bytes]:
    """Give a member's content on, at most as much as is declared of it.

    Raises
    ------
    BadArchive
        If there is more, and after the last piece if size or CRC do not fit.
    """
    crc, size, subject = 0, 0, f"its member {member.name!r}"
    for piece in pieces:
        crc, size = zlib.crc32(piece, crc), size + len(piece)
        if size > member.size:
            raise refused(uri, f"{subject} unpacks to at least {size:,} bytes, not {member.size:,}")
        yield piece
    if size != member.size:
        raise refused(uri, f"{subject} unpacks to {size:,} bytes, not {member.size:,}")
    if crc != member.crc:
        raise refused(uri, f"{subject} has the CRC {crc:08x}, not {member.crc:08x}")


def name_fault(name: str, *, root: str) -> str | None:
    r"""Say what is wrong with a member's name, None if nothing is.

    A good name is `root`/part/…/part: it stays below `root` on every system, and is the same file
    there whatever the system makes of `\`, `:` or control characters.

    Parameters
    ----------
    name : str
        As the archive has it; a folder's ends with `/`.
    root : str
        The only folder at the top of the archive.

    Examples
    --------
    >>> name_fault("fma_small/000/000002.mp3", root="fma_small") is None
    True
    >>> name_fault("fma_small/../../etc/passwd", root="fma_small")
    'leads out of its folder'
    """
    parts = name.removesuffix("/").split("/")
    for holds, fault in (
        (name.startswith("/"), "is absolute"),
        ("\\" in name, "has a backslash"),
        (any(unicodedata.category(sign) in _NO_SIGN for sign in name), "has a control sign"),
        (".." in parts, "leads out of its folder"),
        (":" in name, "has a drive letter or a colon"),
        ("" in parts or "." in parts, "has an empty part"),
        (
            any(part.endswith((".", " ")) for part in parts),
            "has a part that ends with a dot or a space",
        ),
        (any(part.split(".")[0].upper() in _DEVICES for part in parts), "is a device on Windows"),
        (parts[0] != root, f"is not below {root}/"),
        (len(parts) < 2 and not name.endswith("/"), f"takes the place of the folder {root}/"),
        (any(_size(part) > _LONGEST_PART for part in parts), "has too long a part"),
        (_size(name) > _LONGEST_NAME, "is too long"),
    ):
        if holds:
            return fault
    return None


def is_hidden(name: str) -> bool:
    """Return whether a name, below the root, or a folder on its way begins with a dot.

    Listings of a location leave such names out: systems put them everywhere (`.DS_Store`).
    """
    return any(part.startswith(".") and part != ".." for part in name.split("/"))


def clashes(names: Iterable[str]) -> Iterator[str]:
    """Yield the names that some file system takes for another one, or for a folder of another one.

    Parameters
    ----------
    names : iterable of str
        Files, without folders.
    """
    seen: set[str] = set()
    folders: set[str] = set()
    for name in names:
        plain = unicodedata.normalize("NFC", name).casefold()
        above = [plain[:at] for at, sign in enumerate(plain) if sign == "/"]
        if plain in seen or plain in folders or not seen.isdisjoint(above):
            yield name
        seen.add(plain)
        folders.update(above)


def _size(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))
