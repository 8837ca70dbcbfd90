"""A decoder that cannot take its worker down: a child process with a time limit a clip."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from genre_model.frontends.clip import Sound
from genre_model.frontends.frontend import Extractor
from genre_model.signal.status import Status
from tasks.worker.child import START_LIMITS_S, STOPPED_LIMIT_S, Child

ATTEMPTS = 2
"""A child that somebody else killed says nothing about the clip, so each clip gets a second one."""
_log = logging.getLogger(__name__)


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
    sound : Sound | None
        None where nothing was decoded.
    """

    status: Status
    detail: str = ""
    windows: int = 0
    seconds: float = 0.0
    sound: Sound | None = None


class Decoder(Child):
    """Decode clips to windows in a child process that is replaced when it dies or hangs.

    Parameters
    ----------
    extractor : Extractor
        The feature path, sent to the child once.
    time_limit_s : float
        Seconds that one clip may take before its child is ended and the clip is a `timeout`.
    start_limits_s, stopped_limit_s
        As of `Child`.

    Notes
    -----
    One process a worker, kept for all its shards: starting it costs about a second, a clip through
    it less than a millisecond. Not safe for use by two threads at once.
    """

    module = "tasks.worker.decoder_child"

    def __init__(
        self,
        extractor: Extractor,
        *,
        time_limit_s: float = 60.0,
        start_limits_s: Sequence[float] = START_LIMITS_S,
        stopped_limit_s: float = STOPPED_LIMIT_S,
    ) -> None:
        super().__init__(extractor, start_limits_s=start_limits_s, stopped_limit_s=stopped_limit_s)
        self.time_limit_s = time_limit_s

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
            Status `timeout` or `crashed` if that happened to two children one after the other;
            `crashed`, with what the child says, if a net fails on the clip.

        Raises
        ------
        DecoderBroken
            If no child can be started at all.
        DecoderStalled
            If each of several was stopped or killed while it started.
        ModelError
            If the extractor does not open what it works with.
        """
        for _ in range(ATTEMPTS):
            clip = self._attempt(audio, into=into)
            if self.is_there:  # what it says is of the clip
                return clip
            _log.warning("%s; the decoder is replaced", clip.detail)
            into[...] = 0
        return clip

    def _attempt(self, audio: bytes | Path, *, into: np.ndarray) -> DecodedClip:
        connection = self.connected(limit_s=self.time_limit_s)
        try:
            _send(connection, audio)
            if not connection.poll(self.time_limit_s):
                raise BlockingIOError
            status, detail, count, seconds, sound = connection.recv()
            if count:
                connection.recv_bytes_into(into[:count].data.cast("B"))
        except BlockingIOError:
            self.close()
            return DecodedClip(Status.TIMEOUT, f"decoding ran past {self.time_limit_s:g} s")
        except (EOFError, ConnectionError):
            return DecodedClip(Status.CRASHED, f"the decoder died ({self.end_of_child()})")
        return DecodedClip(Status(status), detail, count, seconds, sound)


def _send(connection: Connection, audio: bytes | Path) -> None:
    if isinstance(audio, Path):
        connection.send_bytes(b"path")
        connection.send_bytes(os.fsencode(audio))
    else:
        connection.send_bytes(b"data")
        connection.send_bytes(audio)
