"""The files of a zip archive, as its list has them."""

import hashlib
import json
import zipfile
from dataclasses import dataclass

_HEADER_SIZE = 30
_IS_UTF8 = 0x800


@dataclass(frozen=True)
class Member:
    """One file of an archive.

    Attributes
    ----------
    name : str
        Path below the archive's one folder, with `/` between its parts.
    info : zipfile.ZipInfo
        What the archive's list says of it.
    """

    name: str
    info: zipfile.ZipInfo

    @property
    def size(self) -> int:
        """Bytes of its content."""
        return self.info.file_size

    @property
    def crc(self) -> int:
        """CRC-32 of its content."""
        return self.info.CRC

    @property
    def offset(self) -> int:
        """Where its header begins."""
        return self.info.header_offset

    @property
    def end(self) -> int:
        """Where its content ends, if its header has no extra fields."""
        encoding = "utf-8" if self.info.flag_bits & _IS_UTF8 else "cp437"
        name_size = len(self.info.orig_filename.encode(encoding))
        return self.offset + _HEADER_SIZE + name_size + self.info.compress_size


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
