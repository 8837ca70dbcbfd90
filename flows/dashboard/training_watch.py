"""A training as it goes, in the dashboard: a log line an epoch, a bar, curves drawn anew."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

import httpx
from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.exceptions import PrefectException

from flows.dashboard.artifacts import UpdatedMarkdown, curves_so_far, training_curves

if TYPE_CHECKING:
    import pandas as pd

    from tasks.models import ModelFacts

_log = logging.getLogger(__name__)
_BAR_EVERY_S, _CURVES_EVERY_S = 1.0, 10.0

History = Sequence[Mapping[str, float]]
"""One line an epoch, see `genre_model.learning.training_result`."""


class TrainingWatch:
    """Tells of each epoch of a training; use inside a flow run.

    A server that does not answer ends the telling, not the training.

    Parameters
    ----------
    title : str
        What is trained.
    log : callable
        Takes a line.
    clock : callable, optional
        Seconds, for tests.
    """

    def __init__(
        self, title: str, *, log: Callable[[str], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._title, self._log, self._clock = title, log, clock
        self._bar: UUID | None = None
        self._curves = UpdatedMarkdown("training-curves")
        self._told_bar = self._told_curves = float("-inf")
        self._is_heard = True

    def epoch(self, number: int, most: int, history: History) -> None:
        """Tell of an epoch (from 1, of `most`), the last line of the history."""
        self._log(epoch_in_words(number, most, history[-1]))
        now = self._clock()
        if now - self._told_bar >= _BAR_EVERY_S or number == most:
            self._told_bar = now
            self._tell(lambda: self._show_bar(number, most, f"{number:,} of {most:,} epochs"))
        if now - self._told_curves >= _CURVES_EVERY_S:
            self._tell(lambda: curves_so_far(self._curves, history, self._title))
            self._told_curves = self._clock()

    def end(self, history: pd.DataFrame, facts: ModelFacts, *, most: int) -> None:
        """Tell what came of it; `history` is the model's own."""
        if self._bar is not None:
            early = f", stopped early; epoch {facts.best_epoch} is kept"
            words = f"{facts.epochs:,} of {most:,} epochs{early if facts.epochs < most else ''}"
            self._tell(lambda: self._show_bar(1, 1, words))
        self._tell(lambda: training_curves(history, facts, into=self._curves))

    def _show_bar(self, done: int, total: int, words: str) -> None:
        share = round(100.0 * done / total, 1)
        if self._bar is None:
            self._bar = create_progress_artifact(  # type: ignore[assignment]
                share, key="training-progress", description=words
            )
        else:
            update_progress_artifact(self._bar, progress=share, description=words)

    def _tell(self, what: Callable[[], None]) -> None:
        if not self._is_heard:
            return
        try:
            what()
        except (httpx.HTTPError, PrefectException, RuntimeError) as error:
            # The run itself will meet it, and say so in its own words. A temporary server that does
            # not answer is a plain RuntimeError of Prefect's.
            self._is_heard = False
            _log.warning("the dashboard is not told of the training any more: %s", error)


def epoch_in_words(number: int, most: int, line: Mapping[str, float]) -> str:
    """Say what an epoch came to."""
    return (
        f"epoch {number} of {most}: loss {line['loss']:.3f}, validation tracks "
        f"{line['validation_track_accuracy']:.1%}, {line['windows_per_second']:,.0f} windows/s, "
        f"waited for data {line['stall_share']:.1%} of {line['seconds']:.1f} s"
    )
