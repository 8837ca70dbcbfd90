"""A child process that does what may kill or hang a process: started anew when it is lost."""

from __future__ import annotations

import contextlib
import logging
import os
import pickle
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import IO, ClassVar, Self

import psutil

from genre_model.errors import ModelError
from tasks.worker.child_side import READY
from tasks.worker.errors import DecoderBroken, DecoderEnded, DecoderStalled

START_LIMITS_S = (120.0, 240.0, 480.0)
"""Seconds that a child may take to start, then the one after it, and so on.

One is usual, and minutes have been seen on a machine with twenty times the load that it can bear.
"""
STOPPED_LIMIT_S = 10.0
"""Seconds that a child which starts may be stopped, as by SIGSTOP."""

_LOOK_S = 0.1
_log = logging.getLogger(__name__)
# A child that has closed its end is about to end; what it ends with is worth that long.
_END_S = 2.0
_CHILD_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    # A Dask nanny has its workers give freed memory back at once (64 KiB). A clip's buffers would
    # be paged in anew for every clip: 3,900 page faults, a seventh of its CPU time. glibc only.
    "MALLOC_MMAP_THRESHOLD_": str(2**25),
    "MALLOC_TRIM_THRESHOLD_": str(2**26),
}


class Child:
    """A child process that is sent what it works with, once; replaced when it dies or hangs.

    Parameters
    ----------
    works_with : object
        Pickled, and sent to each child as it starts.
    start_limits_s : sequence of float
        Seconds that each child may take to start, one tried after the other.
    stopped_limit_s : float
        Seconds that one may be stopped meanwhile.

    Notes
    -----
    Not safe for use by two threads at once.
    """

    module: ClassVar[str]
    """What a child runs: it is given the number of its end of a socket pair."""

    def __init__(
        self,
        works_with: object,
        *,
        start_limits_s: Sequence[float] = START_LIMITS_S,
        stopped_limit_s: float = STOPPED_LIMIT_S,
    ) -> None:
        self.works_with = works_with
        self.start_limits_s = start_limits_s
        self.stopped_limit_s = stopped_limit_s
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection | None = None
        self._is_over = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """End the child process, if there is one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    @property
    def is_there(self) -> bool:
        """Whether there is a child, which has not been found to have ended."""
        return self._connection is not None

    def end(self) -> None:
        """End the child process for good, from any thread; `close` is still to be called.

        Whoever waits for its answer meanwhile gets DecoderEnded, and so does whoever asks later.
        """
        self._is_over = True  # before the look at the process: `_try_to_start` does it reversed
        process = self._process
        if process is not None:
            process.kill()

    def connected(self, *, limit_s: float) -> Connection:
        """Return the connection to a child that is ready, started if there is none.

        A send or a receipt that does not go on for `limit_s` raises BlockingIOError: a child that
        is stopped takes nothing more, and a clip does not fit into the buffer between.

        Raises
        ------
        DecoderBroken
            If no child can be started at all.
        DecoderStalled
            If each of several was stopped or killed while it started.
        DecoderEnded
            If it was ended for good.
        ModelError
            If the child says that it cannot work with what it was sent.
        """
        connection = self._connection or self._start()
        _limit(connection, limit_s)
        return connection

    def end_of_child(self) -> str:
        """Close what is left of a child that has ended, and say what it ended by.

        Raises
        ------
        DecoderEnded
            If that was `end`.
        """
        process = self._process
        if process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_END_S)
        self.close()
        self._must_go_on()
        code = process.returncode if process is not None else None
        return f"signal {-code}" if code is not None and code < 0 else f"exit status {code}"

    def _start(self) -> Connection:
        """Start a child, and another one where somebody stops or kills it meanwhile."""
        for limit_s in self.start_limits_s:
            self._must_go_on()
            connection, ending = self._try_to_start(limit_s)
            if connection is not None:
                return connection
            _log.warning("a decoder was replaced while it started, since it %s", ending)
        raise DecoderStalled(
            f"no decoder starts on {socket.gethostname()}: {len(self.start_limits_s)} were tried, "
            f"and the last one {ending}; see what stops or kills processes there (as the "
            "system does for want of memory), and run the same command again"
        )

    def _must_go_on(self) -> None:
        if self._is_over:
            raise DecoderEnded("the decoder was ended, since whoever asked it ends")

    def _try_to_start(self, limit_s: float) -> tuple[Connection | None, str]:
        """Give the connection to a child that is ready, or how that child ended."""
        ours, theirs = Pipe()
        with tempfile.TemporaryFile() as words:
            self._connection, self._process = ours, _spawn(self.module, theirs, words)
            if self._is_over:
                self._process.kill()
            said = b""
            with _ended_if_stuck(self._process, limit_s, self.stopped_limit_s) as reasons:
                try:
                    ours.send_bytes(pickle.dumps(self.works_with))
                    said = ours.recv_bytes()
                except (EOFError, ConnectionError):
                    reasons.append(f"was ended by {self.end_of_child()}")
            if said and said != READY:
                self.close()
                raise ModelError(said.decode(errors="replace"))
            if not reasons:
                return ours, ""
            self.close()
            ending = reasons[0].removeprefix("was ended by ")
            if ending.startswith("exit status"):
                raise _broken(f"{ending}: {_last_line(words)}")
            return None, reasons[0]


@contextlib.contextmanager
def _ended_if_stuck(
    process: subprocess.Popen[bytes], limit_s: float, stopped_limit_s: float
) -> Iterator[list[str]]:
    """Kill a child that starts for too long, or is stopped; yield what the reason is put into."""
    reasons: list[str] = []
    is_over = threading.Event()

    def watch() -> None:
        began = runs = time.monotonic()
        while not is_over.wait(_LOOK_S):
            now = time.monotonic()
            runs = runs if _is_stopped(process.pid) else now
            if now - runs >= stopped_limit_s:
                reasons.append(f"was stopped for {stopped_limit_s:g} s")
            elif now - began >= limit_s:
                reasons.append(f"said nothing for {limit_s:g} s")
            else:
                continue
            process.kill()
            return

    watcher = threading.Thread(target=watch, name="decoder-start", daemon=True)
    watcher.start()
    try:
        yield reasons
    finally:
        is_over.set()
        watcher.join()


def _is_stopped(pid: int) -> bool:
    with contextlib.suppress(psutil.Error):
        return psutil.Process(pid).status() == psutil.STATUS_STOPPED
    return False


def _limit(connection: Connection, seconds: float) -> None:
    """Have a send or a receipt that does not go on for so long raise BlockingIOError.

    A child that is stopped takes nothing more, and a clip does not fit into the buffer between.
    """
    limit = struct.pack("@ll", int(seconds), int(seconds % 1 * 1e6))
    with socket.socket(fileno=os.dup(connection.fileno())) as end:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
        end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)


def _broken(reason: str) -> DecoderBroken:
    return DecoderBroken(
        f"the decoder cannot start on {socket.gethostname()} ({reason}); mend that there, and run "
        "the same command again"
    )


def _last_line(words: IO[bytes]) -> str:
    words.seek(0)
    said = words.read().decode(errors="replace").strip().splitlines()
    return said[-1] if said else "it said nothing"


def _spawn(module: str, connection: Connection, words: IO[bytes]) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            [sys.executable, "-m", module, str(connection.fileno())],
            pass_fds=[connection.fileno()],
            stdin=subprocess.DEVNULL,
            # What mpg123 says about a damaged frame is not this program's output.
            stdout=words,
            stderr=words,
            env={**os.environ, **_CHILD_ENVIRONMENT},
        )
    except OSError as error:  # no memory, or no place for another process
        raise _broken(error.strerror or str(error)) from error
    finally:
        connection.close()
