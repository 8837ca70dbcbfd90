"""A file of a model's folder, read whole: a regular file, no larger than it may be."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from genre_model.errors import ModelError


def read_whole(path: Path, *, most: int) -> bytes:
    """Read a file of at most `most` bytes.

    Parameters
    ----------
    path : Path
    most : int [bytes]

    Raises
    ------
    FileNotFoundError
        If it is not there.
    ModelError
        If it is no regular file (a pipe would be waited for without end), may not be read, or is
        larger.
    """
    try:
        with open(path, "rb", opener=_without_waiting) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise ModelError(f"{path} is no regular file; train the model again")
            if status.st_size > most:
                raise ModelError(
                    f"{path} has {status.st_size:,} bytes, and such a file has {most:,} at most; "
                    "train the model again"
                )
            return file.read(most)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ModelError(f"{path} cannot be read ({error.strerror}); see to it") from error


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
