"""A track's encoded audio, read whole and hashed; files too large to hold stay where they are."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from genre_model.signal.status import Status
from storage.errors import CredentialsRefused, NotFound, Refused
from storage.places.address import resolve
from storage.places.location import Location

LARGEST_IN_MEMORY = 32 * 2**20


@dataclass(frozen=True)
class EncodedAudio:
    """One track's file, or why it could not be read.

    Attributes
    ----------
    content : bytes, Path or None
        The encoded bytes; the path of a file over `LARGEST_IN_MEMORY`; None with a `status`.
    sha256 : str or None
        64 hex digits over the whole file; None if there was nothing to read.
    size : int
        Bytes read.
    status : Status or None
        `missing`, `empty` or `unreadable` if the audio cannot be decoded.
    detail : str
        One sentence with a status.
    """

    content: bytes | Path | None
    sha256: str | None = None
    size: int = 0
    status: Status | None = None
    detail: str = ""


@contextmanager
def read_audio(data: Location, path: str, *, size: int | None) -> Iterator[EncodedAudio]:
    """Yield one track's audio; a large one of a bucket lies in a temporary file meanwhile.

    Parameters
    ----------
    data : Location
        The data folder.
    path : str
        Relative to it, or an address of its own.
    size : int or None
        Bytes as listed; None for a file that was not there.

    Yields
    ------
    EncodedAudio

    Raises
    ------
    StorageError
        On a fault that may pass; a missing file or a refused permission is a status instead.
    """
    with ExitStack() as stack:
        yield _read(stack, data, path, size)


def hash_audio(data: Location, path: str, *, size: int | None) -> str | None:
    """Return the sha256 of one track's audio, None if it cannot be read."""
    with read_audio(data, path, size=size) as audio:
        return audio.sha256


def _read(stack: ExitStack, data: Location, path: str, size: int | None) -> EncodedAudio:
    if size is None:
        return EncodedAudio(None, status=Status.MISSING, detail=f"{path} is not there")
    try:
        if size > LARGEST_IN_MEMORY:
            local = stack.enter_context(resolve(data, path).local_copy())
            return EncodedAudio(local, _hash_file(local), local.stat().st_size)
        content = resolve(data, path).read_bytes()
    except (NotFound, FileNotFoundError):
        return EncodedAudio(None, status=Status.MISSING, detail=f"{path} is not there any more")
    except CredentialsRefused:
        raise  # says nothing of this file
    except (Refused, PermissionError):
        return EncodedAudio(None, status=Status.UNREADABLE, detail=f"{path} may not be read")
    sha256 = hashlib.sha256(content).hexdigest()
    if not content:
        return EncodedAudio(None, sha256, 0, Status.EMPTY, f"{path} has 0 bytes")
    return EncodedAudio(content, sha256, len(content))


def _hash_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
