"""Temporary folders of which none outlasts its process for long: the next run sweeps them.

    <parent>/genre-model-x1y2z3w4/lock       locked as long as the process lives
    <parent>/genre-model-x1y2z3w4/content/   what the caller gets

A killed process cannot delete its folder, but the system takes its lock away. So whoever gets the
lock of a folder knows that nobody works in it, in another container on the same disk too.
"""

import contextlib
import fcntl
import functools
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

_LOCK, _CONTENT = "lock", "content"
_NAME = re.compile(r"^genre-[a-z]+-[a-z0-9_]{8}$")
_TRIES = 100


@contextlib.contextmanager
def temporary_folder(what: str, *, parent: Path | None = None) -> Iterator[Path]:
    """Yield an empty folder, which goes at the end, or once its process is dead.

    The first one of a process below `parent` sweeps there what killed ones left behind.

    Parameters
    ----------
    what : str
        A word of small letters, for the folder's name.
    parent : Path, optional
        Where it is made; the temporary folder of this machine by default.
    """
    place = parent or Path(tempfile.gettempdir())
    _sweep_once(place)
    folder, lock = _make(place, what)
    try:
        yield folder / _CONTENT
    finally:
        _remove(folder)
        os.close(lock)


def sweep_temporary_folders(parent: Path | None = None) -> int:
    """Delete the folders whose process is dead, and count them.

    Those of other users are never touched, whoever runs this.

    Parameters
    ----------
    parent : Path, optional
        As for `temporary_folder`.
    """
    place = parent or Path(tempfile.gettempdir())
    try:
        names = [name for name in os.listdir(place) if _NAME.match(name)]  # noqa: PTH208
    except OSError:
        return 0  # what cannot be listed is swept another time
    return sum(_is_swept(place / name) for name in names)


@functools.cache
def _sweep_once(parent: Path) -> int:
    return sweep_temporary_folders(parent)


def _make(parent: Path, what: str) -> tuple[Path, int]:
    """Make a folder and lock it; until it is locked, another process may sweep it."""
    for _ in range(_TRIES):
        folder = Path(tempfile.mkdtemp(prefix=f"genre-{what}-", dir=parent))
        try:
            lock = _lock(folder, os.O_CREAT)
        except FileNotFoundError:
            continue
        if lock is not None:
            (folder / _CONTENT).mkdir(mode=0o700)
            return folder, lock
    raise FileNotFoundError(f"{folder} goes again as soon as it is made; see who deletes it")


def _lock(folder: Path, flags: int = 0) -> int | None:
    """Open and lock the folder's file; None if another process has it, or is deleting it."""
    path = folder / _LOCK
    lock = os.open(path, os.O_RDWR | os.O_NOFOLLOW | flags, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        is_ours = os.path.samestat(os.fstat(lock), path.stat())
    except (BlockingIOError, FileNotFoundError):
        is_ours = False
    except OSError:
        # a file system without locks: whoever makes a folder there goes on, nobody sweeps it
        is_ours = bool(flags & os.O_CREAT)
    if is_ours:
        return lock
    os.close(lock)
    return None


def _is_swept(folder: Path) -> bool:
    try:
        status = folder.lstat()
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
            return False
        lock = _lock(folder)
    except FileNotFoundError:
        # made by a process that was killed at once, or is about to lock it, and then tries again
        with contextlib.suppress(OSError):
            folder.rmdir()
        return not folder.exists()
    except OSError:
        return False
    if lock is None:
        return False
    _remove(folder)
    os.close(lock)
    return not folder.exists()


def _remove(folder: Path) -> None:
    """Delete the content first: without its lock, nobody would know whose it was."""
    shutil.rmtree(folder / _CONTENT, ignore_errors=True)
    with contextlib.suppress(OSError):
        if not (folder / _CONTENT).exists():
            (folder / _LOCK).unlink(missing_ok=True)
            folder.rmdir()
