"""Training: whole shards in, the weights of the epoch that validates best out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from typing import TYPE_CHECKING

import keras
import numpy as np
import pandas as pd

from genre_model.errors import InvalidSpec
from genre_model.learning.augmenting.augmenting import Augmenting
from genre_model.learning.batches import ReadShard, RowIndex, check_rows, window_blocks
from genre_model.learning.best_epoch import best_epoch
from genre_model.learning.checkpoints import Checkpoint, Checkpoints
from genre_model.learning.devices import is_compiled, scope_of
from genre_model.learning.epochs import Epochs
from genre_model.learning.normalisation import fit_statistics
from genre_model.learning.phases import is_patient_no_more, phase_of
from genre_model.learning.stepping.computing import as_computed, is_plain
from genre_model.learning.training_result import HISTORY_COLUMNS, TrainingResult
from genre_model.networks.statistics import InputStatistics
from genre_model.recipe import AugmentSpec, ModelSpec, TrainSpec

if TYPE_CHECKING:
    from genre_model.signal.mel_spec import Scale

OnEpoch = Callable[[int, int, Sequence[Mapping[str, float]]], None]
"""Called after each epoch with its number (from 1), the most there can be, and the history."""


def train(
    training: RowIndex,
    *,
    validation: RowIndex,
    read_shard: ReadShard,
    rows_per_shard: int,
    classes: int,
    model: ModelSpec | None = None,
    augmentation: AugmentSpec | None = None,
    scale: Scale | None = None,
    spec: TrainSpec | None = None,
    on_epoch: OnEpoch | None = None,
    checkpoints: Checkpoints | None = None,
    say: Callable[[str], None] | None = None,
) -> TrainingResult:
    """Train a network in epochs until its validation track accuracy no longer improves.

    The first weights, dropout and the order of the windows come from `spec.seed` through
    generators of their own; no global random state is touched. An epoch's order depends on the
    seed and the epoch's number alone, so a resumed run goes on as the first would have.

    Parameters
    ----------
    training, validation : RowIndex
        Rows to learn from, and rows to judge each epoch by.
    read_shard : ReadShard
        Shard number -> float16 [rows, windows, ...]; called from other threads, several
        at once. What it raises is raised here.
    rows_per_shard : int
        Rows of a whole shard.
    classes : int
        Genres; every label is below it.
    model : ModelSpec, optional
        Which network; by default the default one.
    augmentation : AugmentSpec, optional
        How training windows are changed; by default not at all. The rows must be such as
        `augmenting.rows.check_augmentation` lets pass.
    scale : {"log1p", "decibel"}, optional
        Of the rows' values, if they are spectra.
    spec : TrainSpec, optional
        How; by default its defaults.
    on_epoch : OnEpoch, optional
        For progress. What it raises ends the training.
    checkpoints : Checkpoints, optional
        Those of this very training (same rows, specs and code): after every epoch its state is
        kept there, and a state that is there already is gone on from.
    say : callable, optional
        Called with a sentence: where the windows are meanwhile.

    Returns
    -------
    TrainingResult

    Raises
    ------
    InvalidSpec
        If a split has no rows, a label is out of range, the network cannot be built, more steps
        are accumulated than an epoch has, or a batch does not fit the device.
    DivergedError
        If the loss is no number any more.
    """
    model, spec = model or ModelSpec(), spec or TrainSpec()
    check_rows(training, validation, classes)
    augmenting = Augmenting(augmentation or AugmentSpec(), scale, spec.seed)
    scope = scope_of(spec)
    run = Epochs(
        training, validation, read_shard, rows_per_shard, classes, model, spec, augmenting, scope
    )
    _check_steps(spec, run.steps, windows=training.window_count)
    phase_of(model, spec, spec.epochs)  # refuses settings that leave the last phase nothing
    with scope():
        state = checkpoints.load() if checkpoints else None
        if state is None:
            statistics, shape = _look_over(training, read_shard, rows_per_shard)
            network = as_computed(run.build(augmenting.trained_shape(shape), statistics), spec)
            state = Checkpoint(network, statistics, network.get_weights(), ())
        else:  # which may have been compiled for another device
            state.network.jit_compile = is_compiled(spec)
    shape = augmenting.window_shape(state.network.input_shape[1:])
    judged, trained = state.network, None
    if augmenting.windows_a_crop > 1 or not is_plain(spec):
        judged = run.build(shape, state.statistics)
    if not _finished(state.history, model, spec):
        run = run.fed(state, shape, say=say)
    while not _finished(state.history, model, spec):
        with scope():
            trained = run.trained(state, trained)
        state = run.epoch(state, trained=trained, judged=judged)
        if checkpoints:
            checkpoints.save(state)
        if on_epoch:
            on_epoch(len(state.history), spec.epochs, state.history)
    return _result(state, judged)


def stall_share(history: tuple[Mapping[str, float], ...]) -> float:
    """Return the share of all epochs' seconds that was waited for data [0 to 1]."""
    waited = sum(line["stall_share"] * line["seconds"] for line in history)
    return waited / sum(line["seconds"] for line in history)


def _finished(history: tuple[Mapping[str, float], ...], model: ModelSpec, spec: TrainSpec) -> bool:
    epochs = len(history)
    if not epochs or epochs >= spec.epochs:
        return epochs >= spec.epochs
    return is_patient_no_more(model, spec, epochs=epochs, best=best_epoch(history))


def _look_over(
    training: RowIndex, read_shard: ReadShard, rows_per_shard: int
) -> tuple[InputStatistics, tuple[int, ...]]:
    """Fit the statistics and learn the shape of a window, in one pass."""
    shapes: set[tuple[int, ...]] = set()

    def windows() -> Iterator[np.ndarray]:
        with closing(window_blocks(training, read_shard, rows_per_shard=rows_per_shard)) as blocks:
            for block, _ in blocks:
                shapes.add(block.shape[1:])
                yield block

    return fit_statistics(windows()), shapes.pop()


def _check_steps(spec: TrainSpec, steps: int, *, windows: int) -> None:
    if (last := windows % spec.batch_size or spec.batch_size) < spec.devices:
        raise InvalidSpec(
            f"the last batch of an epoch has {last} of {windows:,} windows, fewer than "
            f"training.devices, {spec.devices}; choose another training.batch_size than "
            f"{spec.batch_size}"
        )
    if spec.accumulation > steps:
        raise InvalidSpec(
            f"training.accumulation is {spec.accumulation}, but an epoch has {steps} steps of "
            f"{spec.batch_size} windows; accumulate fewer, or make the batches smaller"
        )


def _result(state: Checkpoint, judged: keras.Model) -> TrainingResult:
    best = best_epoch(state.history)
    # A copy without the optimiser, whose state is twice the size of the weights.
    model = keras.models.clone_model(judged)
    model.set_weights(state.best_weights)
    line = state.history[best - 1]
    history = pd.DataFrame(state.history, columns=list(HISTORY_COLUMNS))
    return TrainingResult(
        model=model,
        history=history,
        best_epoch=best,
        validation_track_accuracy=line["validation_track_accuracy"],
        validation_window_accuracy=line["validation_window_accuracy"],
        statistics=state.statistics,
        stall_share=stall_share(state.history),
        windows_per_second=float(history["windows_per_second"].median()),
    )
