"""Zip archives of audio: a list of members that was checked, and their content in bounded pieces.

Both are read by Python's `zipfile`, whose bzip2 reader alone is not used: it gives out all that a
few kilobytes unpack to at once, which can be gigabytes. `bz2.BZ2File` does not.
"""

import bz2
import copy
import functools
import io
import os
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO

from storage.archives.archive_file import ArchiveFile
from storage.archives.guards import (
    archive_fault,
    checked,
    clashes,
    is_hidden,
    member_fault,
    refused,
)
from storage.archives.members import Contents, Member
from storage.errors import StorageError

_PIECE = 2**20
_NO_MEMBERS = b"PK\x05\x06" + bytes(18)


def read_contents(file: ArchiveFile, *, root: str) -> Contents:
    """Read the list of an archive's files, and refuse it if one of them is unsafe.

    Parameters
    ----------
    file : ArchiveFile
    root : str
        The only folder at the top of the archive, as `fma_small`.

    Raises
    ------
    BadArchive
        If it is no zip archive or cut off; if a member leaves `root`, is a link or a device, is
        encrypted, is packed in an unknown way, has the name or the bytes of another one, or unpacks
        to far more than it takes; `storage.archives.guards` has the limits.
    """
    infos = _listed(file)
    for info in infos:
        fault = member_fault(info, root=root)
        if fault:
            raise refused(file.uri, f"its member {info.orig_filename!r} {fault}")
    # an extra field may give `filename` another value: what is checked is what is used
    members = sorted(
        (
            Member(info.orig_filename.removeprefix(f"{root}/"), info)
            for info in infos
            if not info.orig_filename.endswith("/")
        ),
        key=lambda each: each.offset,
    )
    kept = [member for member in members if not is_hidden(member.name)]
    if not kept:
        raise refused(file.uri, "it holds no file")
    for name in clashes(member.name for member in kept):
        raise refused(
            file.uri, f"its member {name!r} has the name of another one, or of its folder"
        )
    fault = archive_fault(members, archive_size=file.seek(0, os.SEEK_END))
    if fault:
        raise refused(file.uri, fault)
    return Contents(tuple(kept), hidden=len(members) - len(kept))


def content_of(file: ArchiveFile, member: Member) -> Iterator[bytes]:
    """Unpack one member, at most a mebibyte at a time.

    Raises
    ------
    BadArchive
        If its header is not what the list says, or it unpacks to more than that; and after the last
        piece if size or CRC do not fit.
    """
    subject = f"its member {member.name!r}"
    try:
        with _opened(file, member.info) as content:
            pieces = iter(functools.partial(content.read, _PIECE), b"")
            yield from checked(pieces, member, uri=file.uri)
    except StorageError:
        raise
    except zipfile.BadZipFile as error:
        name = f"{subject} has another name in its header, or none ({error})"
        raise refused(file.uri, name) from error
    except (OSError, EOFError, ValueError, NotImplementedError, zlib.error) as error:
        raise refused(file.uri, f"{subject} is damaged ({str(error) or 'cut off'})") from error


def _listed(file: ArchiveFile) -> list[zipfile.ZipInfo]:
    try:
        with zipfile.ZipFile(file) as archive:
            return archive.infolist()
    except StorageError:
        raise
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError, struct.error) as error:
        if isinstance(error.__context__, StorageError):  # of which `zipfile` made another one
            raise error.__context__ from None
        raise refused(file.uri, f"it is no zip archive, or cut off ({error})") from error


def _opened(file: ArchiveFile, listed: zipfile.ZipInfo) -> IO[bytes]:
    """Open a member for reading in bounded pieces, without a check of what it unpacks to."""
    info = copy.copy(listed)
    del info.CRC  # compared by `checked`, as the size
    info.file_size += 1
    if listed.compress_type == zipfile.ZIP_BZIP2:
        info.compress_type, info.file_size = zipfile.ZIP_STORED, listed.compress_size
    # the list, which can have a hundred thousand lines, is not read again for each member
    archive = zipfile.ZipFile(io.BytesIO(_NO_MEMBERS))
    archive.fp = file
    content = archive.open(info)
    return bz2.BZ2File(content) if listed.compress_type == zipfile.ZIP_BZIP2 else content
