"""A decoder that cannot take its worker down: a child process with a time limit a clip."""

from __future__ import annotations

import contextlib
import logging
import os
import pickle
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import IO

import numpy as np

from genre_model.frontends.frontend import Extractor
from genre_model.signal.status import Status

START_LIMIT_S = 120.0
_log = logging.getLogger(__name__)
# A child that somebody else killed says nothing about the clip, so each clip gets a second one.
_ATTEMPTS = 2
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


@dataclass(frozen=True)
class DecodedClip:
    """What one clip gave.

    Attributes
    ----------
    status : Status
        What became of it.
    detail : str
        One sentence for a person, empty when there is nothing to say.
    windows : int
        Whole windows written into the caller's row, 0 to the row's length.
    seconds : float
        Length of the decoded audio in seconds, at most a clip's length.
    """

    status: Status
    detail: str = ""
    windows: int = 0
    seconds: float = 0.0


class Decoder:
    """Decode clips to windows in a child process that is replaced when it dies or hangs.

    Parameters
    ----------
    extractor : Extractor
        The feature path, sent to the child once.
    time_limit_s : float
        Seconds that one clip may take before its child is ended and the clip is a `timeout`.

    Notes
    -----
    One process a worker, kept for all its shards: starting it costs about a second, a clip through
    it less than a millisecond. Not safe for use by two threads at once.
    """

    def __init__(self, extractor: Extractor, *, time_limit_s: float = 60.0) -> None:
        self.extractor = extractor
        self.time_limit_s = time_limit_s
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection | None = None

    def __enter__(self) -> Decoder:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def decode(self, audio: bytes | Path, *, into: np.ndarray) -> DecodedClip:
        """Decode one clip and write its whole windows into the head of `into`.

        Parameters
        ----------
        audio : bytes or Path
            The encoded file, or the path of one too large to hold.
        into : np.ndarray [shape=(windows, ...), float16, C-contiguous, zeros]
            One row of a shard. Left as it was if the clip is not kept.

        Returns
        -------
        DecodedClip
            Status `timeout` or `crashed` if that happened to two children one after the other.

        Raises
        ------
        RuntimeError
            If the child cannot be started at all.
        """
        for _ in range(_ATTEMPTS):
            clip = self._attempt(audio, into=into)
            if clip.status not in (Status.TIMEOUT, Status.CRASHED):
                return clip
            _log.warning("%s; the decoder is replaced", clip.detail)
            into[...] = 0
        return clip

    def close(self) -> None:
        """End the child process, if there is one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _attempt(self, audio: bytes | Path, *, into: np.ndarray) -> DecodedClip:
        connection = self._connection or self._start()
        try:
            _send(connection, audio)
            if not connection.poll(self.time_limit_s):
                self.close()
                return DecodedClip(Status.TIMEOUT, f"decoding ran past {self.time_limit_s:g} s")
            status, detail, count, seconds = connection.recv()
            if count:
                connection.recv_bytes_into(into[:count].data.cast("B"))
        except (EOFError, ConnectionError):
            return DecodedClip(Status.CRASHED, f"the decoder died ({self._end_of_child()})")
        return DecodedClip(Status(status), detail, count, seconds)

    def _end_of_child(self) -> str:
        process = self._process
        if process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_END_S)
        self.close()
        code = process.returncode if process is not None else None
        return f"signal {-code}" if code is not None and code < 0 else f"exit status {code}"

    def _start(self) -> Connection:
        ours, theirs = Pipe()
        words = tempfile.TemporaryFile()  # noqa: SIM115 - the child writes to it as long as it lives
        self._connection, self._process = ours, _spawn(theirs, words)
        try:
            ours.send_bytes(pickle.dumps(self.extractor))
            if ours.poll(START_LIMIT_S) and ours.recv_bytes() == b"ready":
                return ours
        except (EOFError, ConnectionError):
            pass  # the child ended: what it said is raised below
        ending = self._end_of_child()
        words.seek(0)
        said = words.read().decode(errors="replace").strip().splitlines()
        raise RuntimeError(
            f"the decoder process does not start ({ending}): "
            f"{said[-1] if said else 'it said nothing'}"
        )


def _spawn(connection: Connection, words: IO[bytes]) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            [sys.executable, "-m", "tasks.worker.decoder_child", str(connection.fileno())],
            pass_fds=[connection.fileno()],
            stdin=subprocess.DEVNULL,
            # What mpg123 says about a damaged frame is not this program's output.
            stdout=words,
            stderr=words,
            env={**os.environ, **_CHILD_ENVIRONMENT},
        )
    finally:
        connection.close()


def _send(connection: Connection, audio: bytes | Path) -> None:
    if isinstance(audio, Path):
        connection.send_bytes(b"path")
        connection.send_bytes(os.fsencode(audio))
    else:
        connection.send_bytes(b"data")
        connection.send_bytes(audio)
