"""Training: whole shards in, the weights of the epoch that validates best out."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import keras
import numpy as np
import pandas as pd

from genre_model.errors import DivergedError, InvalidSpec
from genre_model.learning.augmenting.augmenting import Augmenting
from genre_model.learning.batches import (
    Block,
    ReadShard,
    RowIndex,
    check_rows,
    shuffled_batches,
    window_blocks,
)
from genre_model.learning.best_epoch import best_epoch
from genre_model.learning.checkpoints import Checkpoint, Checkpoints
from genre_model.learning.devices import (
    Scope,
    is_compiled,
    lacks_memory,
    scope_of,
    size_that_fits,
    too_large_in_words,
)
from genre_model.learning.feeding.budget import is_resident
from genre_model.learning.feeding.kept_rows import KeptRows
from genre_model.learning.feeding.resident import Resident, Whereabouts, frames_of
from genre_model.learning.inference import predict_rows
from genre_model.learning.normalisation import fit_statistics
from genre_model.learning.phases import is_patient_no_more, phase_of, thaw
from genre_model.learning.pretrained import Pretrained
from genre_model.learning.read_ahead import Waiting
from genre_model.learning.stepping.class_weights import class_weights
from genre_model.learning.stepping.computing import as_computed, is_plain
from genre_model.learning.stepping.epoch_batches import (
    ASKED_AGAIN,
    OF_SEVERAL_DEVICES,
    EpochBatches,
)
from genre_model.learning.stepping.loss_watch import LossWatch
from genre_model.learning.stepping.optimisers import AsStepped, make_optimiser
from genre_model.learning.stepping.rates import set_rate, warmup_callbacks
from genre_model.learning.training_result import HISTORY_COLUMNS, TrainingResult
from genre_model.networks import build_network, is_pretrained
from genre_model.networks.parts import seed_dropout
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
    run = _Run(
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


@dataclass(frozen=True)
class _Run:
    """What stays the same from epoch to epoch."""

    training: RowIndex
    validation: RowIndex
    read_shard: ReadShard
    rows_per_shard: int
    classes: int
    model: ModelSpec
    spec: TrainSpec
    augmenting: Augmenting
    scope: Scope
    resident: Resident | None = None
    kept: KeptRows | None = None

    @property
    def steps(self) -> int:
        """Return how many an epoch has."""
        return -(-self.training.window_count // self.spec.batch_size)

    def build(self, shape: tuple[int, ...], statistics: InputStatistics) -> keras.Model:
        """Build the untrained network for windows of some shape."""
        return build_network(
            self.model.network,
            input_shape=shape,
            classes=self.classes,
            statistics=statistics,
            seed=self.spec.seed,
            pretrained=Pretrained.of(self.model).behind
            if is_pretrained(self.model.network)
            else None,
        )

    def trained(self, state: Checkpoint, so_far: keras.Model | None) -> keras.Model:
        """Return what the next epoch trains: the network, or what stands before it.

        That is what it was so far, unless a phase begins, which compiles the network anew.
        """
        number = len(state.history) + 1
        phase = phase_of(self.model, self.spec, number)
        begins = number == phase.before + 1
        if begins and phase.thaws:
            thaw(state.network)
        if begins:
            _compile(state.network, self.steps, phase.spec)
        if so_far is None or begins:
            return self.augmenting.before(state.network, state.statistics, self.kept)
        return so_far

    def fed(
        self, state: Checkpoint, shape: tuple[int, ...], *, say: Callable[[str], None] | None
    ) -> _Run:
        """Return the same with the windows, of that shape, kept where they fit."""
        is_kept, sentence = is_resident(self.spec, windows=self.training.window_count, shape=shape)
        if say is not None:
            say(sentence)
        if not is_kept:
            return self
        resident = Resident.gather(
            self.training, self.read_shard, rows_per_shard=self.rows_per_shard
        )
        kept = KeptRows(resident, state.network.input_shape[1:])
        return replace(self, resident=resident, kept=kept)

    def epoch(self, state: Checkpoint, *, trained: keras.Model, judged: keras.Model) -> Checkpoint:
        """Train and validate once more; the given state's network goes on in the new one.

        `trained` is that network, or what stands before it, and `judged` is it, or the same for
        windows of another length, in float32.
        """
        started, number = time.perf_counter(), len(state.history) + 1
        phase = phase_of(self.model, self.spec, number)
        waiting, as_stepped = Waiting(), AsStepped(state.network)
        with self.scope():
            set_rate(state.network.optimizer, phase.spec, phase.history(state.history), self.steps)
            learning_rate = float(state.network.optimizer.learning_rate)
            seed_dropout(state.network, np.random.default_rng([self.spec.seed, number, 1]))
            shape = state.network.input_shape[1:]
            fitted = self._fit(trained, number, waiting, as_stepped, shape=shape)
        of_steps = time.perf_counter() - started
        if judged is not state.network:
            judged.set_weights(state.network.get_weights())
        predictions = predict_rows(
            judged,
            self.validation,
            self.read_shard,
            rows_per_shard=self.rows_per_shard,
            waiting=waiting,
        )
        seconds = time.perf_counter() - started
        line = {
            "epoch": number,
            "loss": fitted["loss"],
            "accuracy": fitted["accuracy"],
            "validation_loss": predictions.cross_entropy(),
            "validation_window_accuracy": predictions.accuracy(),
            "validation_track_accuracy": predictions.tracks().accuracy(),
            "learning_rate": learning_rate,
            "seconds": seconds,
            "stall_share": waiting.seconds / seconds,
            "windows_per_second": self.training.window_count / of_steps,
        }
        history = (*state.history, line)
        improved = best_epoch(history) == number
        best = state.network.get_weights() if improved else state.best_weights
        if self.spec.ema:
            state.network.set_weights(as_stepped.weights)
        return Checkpoint(state.network, state.statistics, best, history)

    def _fit(
        self,
        network: keras.Model,
        number: int,
        waiting: Waiting,
        as_stepped: AsStepped,
        *,
        shape: tuple[int, ...],
    ) -> dict[str, float]:
        """Run one epoch's steps; what the reader raised comes out as it was."""
        batches = EpochBatches(
            self._batches(number, waiting),
            count=self.steps,
            labels=self.training.labels,
            classes=self.classes,
            weights=class_weights(self.training, self.classes, self.spec),
            draw=self.augmenting.draws(number, shape=shape),
            is_named=self.resident is not None,
            keep=ASKED_AGAIN if self.spec.devices == 1 else OF_SEVERAL_DEVICES,
        )
        try:
            history = network.fit(
                batches,
                epochs=1,
                shuffle=False,
                verbose=0,
                callbacks=[
                    LossWatch(
                        number,
                        self.spec,
                        lambda step: self.training.track_ids[batches.places_of(step)],
                    ),
                    *self._callbacks(number, as_stepped),
                ],
            )
        except DivergedError:
            raise
        except Exception as error:
            # TensorFlow makes of every error one of its own, and a text of the first.
            if batches.raised is not None:
                raise batches.raised from None
            if lacks_memory(error):
                size = size_that_fits(
                    lambda size: network.train_on_batch(*batches.trial(size)), self.spec.batch_size
                )
                raise InvalidSpec(too_large_in_words(self.spec, size)) from error
            raise
        return {name: float(values[-1]) for name, values in history.history.items()}

    def _callbacks(self, number: int, as_stepped: AsStepped) -> list[keras.callbacks.Callback]:
        """Return what changes something between steps; by default nothing does."""
        averaging = [as_stepped] if self.spec.ema else []
        phase = phase_of(self.model, self.spec, number)
        return averaging + warmup_callbacks(phase.spec, number - phase.before, self.steps)

    def _batches(self, number: int, waiting: Waiting) -> Generator[Block, None, None]:
        crops, kept = self.augmenting.crops(number), self.resident
        return shuffled_batches(
            self.training,
            kept.numbers if kept else self.read_shard,
            batch_size=self.spec.batch_size,
            generator=np.random.default_rng([self.spec.seed, number, 0]),
            pooled_shards=self.spec.pooled_shards,
            rows_per_shard=self.rows_per_shard,
            instead=Whereabouts(frames_of(kept.window), crops) if kept else crops,
            waiting=waiting,
        )


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


def _compile(network: keras.Model, steps: int, spec: TrainSpec) -> None:
    """Give the network its optimiser and loss; an epoch has so many steps."""
    network.compile(
        optimizer=make_optimiser(spec, steps),
        loss=keras.losses.CategoricalCrossentropy(
            from_logits=True, label_smoothing=spec.label_smoothing
        ),
        metrics=["accuracy"],
        jit_compile=is_compiled(spec),
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
