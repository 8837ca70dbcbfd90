"""A loss that is no number any more ends a training at once, and names the batch."""

from __future__ import annotations

import math
from collections.abc import Callable

import keras
import numpy as np

from genre_model.errors import DivergedError
from genre_model.recipe import TrainSpec

LOOKED_AT_EVERY = 16
"""Steps; a device that is asked for its loss after each has to wait for it."""
_NAMED = 20


class LossWatch(keras.callbacks.Callback):  # type: ignore[misc]
    """Looks at the losses of an epoch, every few steps.

    Parameters
    ----------
    epoch : int [from 1]
    spec : TrainSpec
        For the sentence.
    tracks_of : callable
        Step (from 0) -> the tracks of its windows.

    Raises
    ------
    DivergedError
        Out of `fit`, if a step's loss was infinite or no number.
    """

    def __init__(self, epoch: int, spec: TrainSpec, tracks_of: Callable[[int], np.ndarray]) -> None:
        super().__init__()
        self._epoch, self._spec, self._tracks_of = epoch, spec, tracks_of
        self._first, self._losses = 0, list[object]()

    def on_train_batch_end(self, batch: int, logs: dict[str, object] | None = None) -> None:
        """Take note of the mean loss up to a step, which the device may not know yet."""
        self._losses.append((logs or {})["loss"])
        if len(self._losses) >= LOOKED_AT_EVERY:
            self._look()
            self._first = batch + 1

    def on_epoch_end(self, epoch: int, logs: object = None) -> None:  # noqa: ARG002
        """Look at the rest."""
        self._look()

    def _look(self) -> None:
        losses, self._losses = self._losses, []
        # what is no number stays none in a mean: the last tells whether there is one
        if not losses or math.isfinite(_value(losses[-1])):
            return
        values = [_value(each) for each in losses]
        bad = next(at for at, value in enumerate(values) if not math.isfinite(value))
        raise DivergedError(
            diverged_in_words(
                values[bad],
                epoch=self._epoch,
                step=self._first + bad + 1,
                tracks=self._tracks_of(self._first + bad),
                spec=self._spec,
            )
        )


def diverged_in_words(
    loss: float, *, epoch: int, step: int, tracks: np.ndarray, spec: TrainSpec
) -> str:
    """Say where a loss became no number, and what to try."""
    return f"the loss is {loss:g} at step {step} of epoch {epoch}, {_remedy(tracks, spec)}"


def spoilt_in_words(*, epoch: int, step: int, tracks: np.ndarray, spec: TrainSpec) -> str:
    """Say after which step a network gave no finite numbers for validation, and what to try."""
    return (
        f"after step {step} of epoch {epoch}, its last, the network gives no finite numbers for "
        f"the validation tracks, though the step's loss was one, {_remedy(tracks, spec)}"
    )


def _remedy(tracks: np.ndarray, spec: TrainSpec) -> str:
    ids = np.unique(tracks).tolist()
    named = ", ".join(map(str, ids[:_NAMED]))
    more = f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else ""
    clip = "" if spec.clip_norm else ", or training.clip_norm=1"
    return (
        f"whose windows are of the tracks {named}{more}; try a lower training.learning_rate (it is "
        f"{spec.learning_rate:g}){clip}, and where that does not help, leave these tracks out"
    )


def _value(loss: object) -> float:
    return float(np.asarray(loss))
