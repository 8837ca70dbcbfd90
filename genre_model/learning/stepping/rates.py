"""The learning rate over a training.

`cosine` is a schedule of Keras's own, a function of the step. With `constant` and `plateau` the
rate is a number of the optimiser, set before each epoch, in the warm-up before each step. It hangs
on the step and the history alone, so that a resumed training has the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import keras

from genre_model.learning.best_epoch import rank
from genre_model.recipe import TrainSpec


def first_rate(
    spec: TrainSpec, steps: int
) -> float | keras.optimizers.schedules.LearningRateSchedule:
    """Return what the optimiser begins with: Keras's schedule, or a number that is set later.

    Parameters
    ----------
    spec : TrainSpec
    steps : int
        Of an epoch.
    """
    if spec.schedule != "cosine":
        return spec.learning_rate
    warmup = steps * spec.warmup_epochs
    if not warmup:
        return keras.optimizers.schedules.CosineDecay(spec.learning_rate, steps * spec.epochs)
    return keras.optimizers.schedules.CosineDecay(
        spec.learning_rate / warmup,
        steps * spec.epochs - warmup,
        warmup_target=spec.learning_rate,
        warmup_steps=warmup,
    )


def set_rate(
    optimiser: keras.optimizers.Optimizer,
    spec: TrainSpec,
    history: tuple[Mapping[str, float], ...],
    steps: int,
) -> None:
    """Set the rate of the epoch after a history, unless the optimiser has a schedule."""
    if spec.schedule == "cosine":
        return
    if len(history) < spec.warmup_epochs:
        optimiser.learning_rate = _warming(spec, step=len(history) * steps, steps=steps)
        return
    drops = falls(history, spec) if spec.schedule == "plateau" else 0
    optimiser.learning_rate = spec.learning_rate * spec.plateau_factor**drops


def falls(history: tuple[Mapping[str, float], ...], spec: TrainSpec) -> int:
    """Count how often the rate has fallen: whenever so many epochs brought no better one."""
    count = since = 0
    best = min(map(rank, history[: spec.warmup_epochs]), default=(math.inf,))
    for line in history[spec.warmup_epochs :]:
        since = 0 if rank(line) < best else since + 1
        best = min(best, rank(line))
        if since == spec.plateau_epochs:
            count, since = count + 1, 0
    return count


def _warming(spec: TrainSpec, *, step: int, steps: int) -> float:
    """Return the rate of a step (from 0) of the warm-up, as Keras's schedules have it."""
    warmup = spec.warmup_epochs * steps
    lowest = spec.learning_rate / warmup
    return lowest + (spec.learning_rate - lowest) * step / warmup


def warmup_callbacks(spec: TrainSpec, number: int, steps: int) -> list[keras.callbacks.Callback]:
    """Return what raises the rate in an epoch (from 1) of the warm-up, where Keras does not."""
    if spec.schedule == "cosine" or number > spec.warmup_epochs:
        return []
    first = (number - 1) * steps
    return [_Warmup(lambda batch: _warming(spec, step=first + batch, steps=steps))]


class _Warmup(keras.callbacks.Callback):  # type: ignore[misc]
    """Sets the rate before each step, from the step's place in its epoch."""

    def __init__(self, rate: Callable[[int], float]) -> None:
        super().__init__()
        self._rate = rate

    def on_train_batch_begin(self, batch: int, logs: object = None) -> None:  # noqa: ARG002
        if hasattr(self.model, "jax_state_sync"):  # JAX's steps take a copy, and are told so
            self.model.jax_state_sync()
        self.model.optimizer.learning_rate = self._rate(batch)
