"""A model that cannot take its process down: a child that decodes and predicts, with a limit."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from genre_model.hearing.prediction import Prediction
from genre_model.signal.status import Status
from tasks.worker.child import START_LIMITS_S, STOPPED_LIMIT_S, Child

if TYPE_CHECKING:
    import numpy as np

ATTEMPTS = 2
"""A child that somebody else killed says nothing about the file, so each gets a second one."""
LEAST_LIMIT_S = 120.0
DISTURBED_LIMIT_S = 1_200.0
"""Of a clip that is disturbed in ten ways."""
LIMIT_S_A_BYTE = 4e-6
"""The usual limit grows with the file: an hour of MP3 at 128 kbit/s may take six minutes."""
_log = logging.getLogger(__name__)


class PredictingChild(Child):
    """Predict files in a child process, which is started by the first of them.

    Whoever has it imports neither numpy nor onnxruntime.

    Parameters
    ----------
    folder : Path
        The model's.
    time_limit_s : float, optional
        Seconds that one file may take; by default as many as its size allows for.
    start_limits_s, stopped_limit_s
        As of `Child`.
    """

    module = "tasks.worker.predicting_child"

    def __init__(
        self,
        folder: Path,
        *,
        time_limit_s: float | None = None,
        start_limits_s: Sequence[float] = START_LIMITS_S,
        stopped_limit_s: float = STOPPED_LIMIT_S,
    ) -> None:
        super().__init__(folder, start_limits_s=start_limits_s, stopped_limit_s=stopped_limit_s)
        self.time_limit_s = time_limit_s

    def predict(self, path: str | os.PathLike[str], *, overview: bool = False) -> Prediction:
        """Predict one file; see `genre_model.predict.Predictor.predict`.

        Returns
        -------
        Prediction
            Status `timeout` or `crashed` if that happened to two children one after the other;
            `crashed`, with what the child says, if the model fails on the file.

        Raises
        ------
        DecoderBroken, DecoderStalled
            If no child starts.
        DecoderEnded
            If `end` was called.
        ModelError
            If the model does not open.
        """
        name = os.fspath(path)
        size = _size(name)
        if size is None:  # no process is started for it
            return Prediction(name, Status.MISSING, f"there is no file {name}")
        limit_s = self.time_limit_s or LEAST_LIMIT_S + size * LIMIT_S_A_BYTE
        found = self._answer(name, overview, limit_s=limit_s)
        assert isinstance(found, Prediction)
        return found

    def disturbed(
        self, path: str | os.PathLike[str], *, seed: int
    ) -> Mapping[str, np.ndarray] | Prediction:
        """Hear one clip as it is and disturbed; see `genre_model.disturbing.listener`.

        Returns
        -------
        Mapping[str, np.ndarray] or Prediction
            The latter of a clip that cannot be heard, with its status.

        Raises
        ------
        DecoderBroken, DecoderStalled, ModelError
            As for `predict`.
        """
        return self._answer(os.fspath(path), seed, limit_s=self.time_limit_s or DISTURBED_LIMIT_S)

    def _answer(
        self, name: str, how: bool | int, *, limit_s: float
    ) -> Mapping[str, np.ndarray] | Prediction:
        for attempt in range(ATTEMPTS):
            found = self._attempt(name, how, limit_s=limit_s)
            is_lost = isinstance(found, Prediction) and found.status is Status.CRASHED
            if is_lost and not self.is_there and attempt == 0:
                _log.warning("%s: the decoder died, and is replaced", name)
                continue
            return found
        return found

    def _attempt(
        self, name: str, how: bool | int, *, limit_s: float
    ) -> Mapping[str, np.ndarray] | Prediction:
        connection = self.connected(limit_s=limit_s)
        began = time.monotonic()
        try:
            connection.send((name, how))
            if not connection.poll(max(0.0, limit_s - (time.monotonic() - began))):
                raise BlockingIOError
            found = connection.recv()
        except BlockingIOError:
            self.close()
            return Prediction(name, Status.TIMEOUT, f"decoding ran past {limit_s:g} s")
        except (EOFError, ConnectionError):
            ending = self.end_of_child()
            return Prediction(name, Status.CRASHED, f"the decoder died ({ending})")
        assert isinstance(found, Prediction | Mapping)
        return found


def _size(path: str) -> int | None:
    try:
        return os.stat(path).st_size  # noqa: PTH116 - a name may be no path at all
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        return 0  # what is wrong with it is said by who opens it
