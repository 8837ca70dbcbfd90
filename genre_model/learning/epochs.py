"""One epoch after another: what the network is fed, what is trained of it, how it is judged."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace

import keras
import numpy as np

from genre_model.errors import DivergedError, InvalidSpec, ModelError
from genre_model.learning.augmenting.augmenting import Augmenting
from genre_model.learning.batches import Block, ReadShard, RowIndex, shuffled_batches
from genre_model.learning.best_epoch import best_epoch
from genre_model.learning.checkpoints import Checkpoint
from genre_model.learning.devices import (
    Scope,
    is_compiled,
    kept_too_large_in_words,
    lacks_memory,
    size_that_fits,
    too_large_in_words,
)
from genre_model.learning.feeding.budget import is_resident, windows_in_words
from genre_model.learning.feeding.kept_rows import KeptRows
from genre_model.learning.feeding.resident import Resident, Whereabouts, frames_of
from genre_model.learning.inference import predict_rows
from genre_model.learning.phases import phase_of, thaw
from genre_model.learning.pretrained import Pretrained
from genre_model.learning.read_ahead import Waiting
from genre_model.learning.stepping.class_weights import class_weights
from genre_model.learning.stepping.epoch_batches import (
    ASKED_AGAIN,
    OF_SEVERAL_DEVICES,
    EpochBatches,
)
from genre_model.learning.stepping.loss_watch import LossWatch, spoilt_in_words
from genre_model.learning.stepping.optimisers import AsStepped, make_optimiser
from genre_model.learning.stepping.rates import set_rate, warmup_callbacks
from genre_model.networks import build_network, is_pretrained
from genre_model.networks.parts import seed_dropout
from genre_model.networks.statistics import InputStatistics
from genre_model.recipe import ModelSpec, TrainSpec


@dataclass(frozen=True)
class Epochs:
    """What stays the same from one epoch to the next."""

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
    ) -> Epochs:
        """Return the same with the windows, of that shape, kept where they fit.

        Raises
        ------
        InvalidSpec
            If they do not, and were to be kept whatever is known of the device.
        """
        say = say or (lambda _sentence: None)
        is_kept, sentence = is_resident(self.spec, windows=self.training.window_count, shape=shape)
        say(sentence)
        if not is_kept:
            return self
        try:
            resident = Resident.gather(
                self.training, self.read_shard, rows_per_shard=self.rows_per_shard
            )
            kept = KeptRows(resident, state.network.input_shape[1:])
        except Exception as error:
            if not lacks_memory(error):
                raise
            count = self.training.window_count
            told = windows_in_words(count, 2 * count * math.prod(shape))
            if self.spec.feed == "auto":
                say(f"{told} do not fit after all, and are read in each epoch (training.feed)")
                return self
            raise InvalidSpec(kept_too_large_in_words(told)) from error
        return replace(self, resident=resident.handed_over(), kept=kept)

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
            fitted, last = self._fit(trained, number, waiting, as_stepped, shape=shape)
            if self.spec.ema:  # Keras ends with the averages' own arrays, which JAX uses up
                state.network.set_weights([each.copy() for each in state.network.get_weights()])
        of_steps = time.perf_counter() - started
        if judged is not state.network:
            judged.set_weights(state.network.get_weights())
        try:
            predictions = predict_rows(
                judged,
                self.validation,
                self.read_shard,
                rows_per_shard=self.rows_per_shard,
                waiting=waiting,
            )
        except ModelError as error:  # of an earlier step's update the next step's loss tells
            said = spoilt_in_words(epoch=number, step=self.steps, tracks=last, spec=self.spec)
            raise DivergedError(said) from error
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
    ) -> tuple[dict[str, float], np.ndarray]:
        """Run one epoch's steps, and return its figures and the tracks of the last one.

        What the reader raised comes out as it was.
        """
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

        def tracks_of(step: int) -> np.ndarray:
            ids: np.ndarray = self.training.track_ids[batches.places_of(step)]
            return ids

        try:
            history = network.fit(
                batches,
                epochs=1,
                shuffle=False,
                verbose=0,
                callbacks=[
                    LossWatch(number, self.spec, tracks_of),
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
                kept = self.resident.size if self.resident else 0
                raise InvalidSpec(too_large_in_words(self.spec, size, kept=kept)) from error
            raise
        found = {name: float(values[-1]) for name, values in history.history.items()}
        return found, tracks_of(self.steps - 1)

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
