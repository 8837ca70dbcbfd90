"""Whether there is room for the database of Prefect's temporary server, before and during a run.

The server itself says nothing of a full disk: it does not start, or answers every request that is
to be written down with a fault of its own.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from flows.dashboard import server_database
from flows.errors import FlowError, UsageError
from genre_model.errors import GenreModelError
from storage.errors import StorageError
from storage.places.space import readable_size
from tasks.worker.errors import WorkerError

NEEDED = 16 * 2**20
"""Bytes; a new database takes 1.3 MiB, and 4 MiB the journal that is written before it."""

_LEAST = 2**20
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def check_room() -> None:
    """Refuse a disk that has no room for the database, or a quota that lets none be made.

    Raises
    ------
    UsageError
        It names the folder, how much is free there, and the remedy.
    """
    folder = _folder()
    if folder is not None and not _has_room(folder, NEEDED):
        raise UsageError(
            f"Prefect's temporary server needs {readable_size(NEEDED)} for its database, but "
            f"{_lack(folder)}"
        )


def check_not_full() -> None:
    """Refuse to wait for a server whose disk is full meanwhile; far cheaper than `check_room`.

    Raises
    ------
    UsageError
        As of `check_room`.
    """
    folder = _folder()
    if folder is not None and shutil.disk_usage(folder).free < _LEAST:
        raise _filled(folder)


@contextlib.contextmanager
def told_if_full() -> Iterator[None]:
    """Say of what fails meanwhile that the disk of the database is full, if it is.

    Raises
    ------
    UsageError
        In place of an error that is not one of this program's own sentences.
    """
    try:
        yield
    except (FlowError, GenreModelError, StorageError, WorkerError):
        raise
    except Exception as error:
        folder = _folder()
        if folder is None or _has_room(folder, _LEAST):
            raise
        raise _filled(folder) from error


def _filled(folder: Path) -> UsageError:
    return UsageError(
        f"Prefect's temporary server cannot write its database any more, since {_lack(folder)}, "
        "and run the same command again: what is written in the store stays"
    )


def _lack(folder: Path) -> str:
    free = readable_size(shutil.disk_usage(folder).free)
    home = " (PREFECT_HOME)" if server_database.is_default() else ""
    return f"{folder}{home} has {free} free: free some space there, or {server_database.remedy()}"


def _folder() -> Path | None:
    """Return the folder of the database, or the one that it will be made in; None without one."""
    from prefect.settings import PREFECT_API_URL

    if PREFECT_API_URL.value():
        return None
    file = server_database.database_file()
    return None if file is None else next(each for each in file.parents if each.exists())


def _has_room(folder: Path, needed: int) -> bool:
    if shutil.disk_usage(folder).free < needed:
        return False
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".genre-") as probe:
            os.posix_fallocate(probe.fileno(), 0, needed)  # a quota shows by this alone
    except OSError as error:
        return error.errno not in _FULL
    return True
