"""No process outlives the command that started it, killed or not; nor does its folder.

A killed driver cannot end what it started: Dask's scheduler, nannies and workers would wait for
it for ever, and so would Prefect's temporary server. So a guard, a small process in a session of
its own, reads from a pipe whose other end only the driver holds. However the driver ends, the
pipe closes, and the guard ends every process that carries the driver's mark in its environment.
Then it deletes the folder in which these processes keep what lasts no longer than they do.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

import psutil

MARK = "GENRE_STARTED_BY"
"""Environment variable that descendants inherit; its value is one driver's."""

_PAUSE_S = 0.2
_LIMIT_S = 30.0


def leave_none() -> Path:
    """Have everything that this process starts from now on ended when this process has ended.

    Returns
    -------
    Path
        A temporary folder that its user alone may enter, which is deleted then.
    """
    return _guard(os.getpid())[1]


@functools.cache
def _guard(_pid: int) -> tuple[subprocess.Popen[bytes], Path]:
    mark, folder = uuid.uuid4().hex, Path(tempfile.mkdtemp(prefix="genre-"))
    # Ctrl-C goes to a whole terminal group: in a session of its own, the guard outlives it.
    guard = subprocess.Popen(
        [sys.executable, "-m", "flows.engine.orphans", mark, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    os.environ[MARK] = mark
    return guard, folder


def marked(mark: str, *, variable: str = MARK) -> list[psutil.Process]:
    """List the living processes whose environment was given `mark`.

    Parameters
    ----------
    mark : str
        A value of `variable`.
    variable : str
        Name of the environment variable.

    Returns
    -------
    list of psutil.Process
        Of this user, or of all for an administrator.
    """
    found = []
    for process in psutil.process_iter():
        try:
            is_ours = process.environ().get(variable) == mark
            if is_ours and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (psutil.Error, OSError):
            continue  # it ended meanwhile, or belongs to somebody else
    return found


def _end_all(mark: str) -> None:
    """End them, again until none is left: a nanny may have started a worker meanwhile."""
    deadline = time.monotonic() + _LIMIT_S
    while (left := marked(mark)) and time.monotonic() < deadline:
        for process in left:
            try:
                process.kill()
            except psutil.Error:
                continue
        time.sleep(_PAUSE_S)


if __name__ == "__main__":
    sys.stdin.buffer.read()
    _end_all(sys.argv[1])
    shutil.rmtree(sys.argv[2], ignore_errors=True)
