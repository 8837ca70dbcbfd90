"""A loss that is no number ends a training at its step, and names the tracks of its batch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from learnable_rows import ROWS_PER_SHARD, reader
from trainings import ROWS, SHORT, TRAINING, fit

from genre_model.errors import DivergedError, InvalidSpec
from genre_model.learning.batches import Block
from genre_model.recipe import TrainSpec

pytestmark = pytest.mark.whole

STEPS, BATCH = 40, 3
TRACKS = np.arange(7_000, 7_000 + STEPS * BATCH)


def batches(bad: dict[int, float]) -> Iterator[Block]:
    for number in range(STEPS):
        windows = np.ones((BATCH, 4), np.float16)
        windows[1] = bad.get(number, 1)
        yield windows, np.arange(number * BATCH, (number + 1) * BATCH)


def epoch_with(bad: dict[int, float]) -> None:
    import keras

    from genre_model.learning.stepping.epoch_batches import EpochBatches
    from genre_model.learning.stepping.loss_watch import LossWatch

    network = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    network.compile("sgd", keras.losses.CategoricalCrossentropy(from_logits=True))
    labels = np.arange(STEPS * BATCH, dtype=np.int32) % 2
    given = EpochBatches(batches(bad), count=STEPS, labels=labels, classes=2)  # type: ignore[arg-type]
    watch = LossWatch(3, TrainSpec(), lambda step: TRACKS[given.places_of(step)])
    network.fit(given, epochs=1, shuffle=False, verbose=0, callbacks=[watch])


@pytest.mark.parametrize("step", [0, 15, 16, 39])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_the_first_bad_step_is_named_with_its_tracks(step: int, value: float) -> None:
    with pytest.raises(DivergedError) as caught:
        epoch_with({step: value, min(step + 2, STEPS - 1): value})
    said = str(caught.value)
    tracks = ", ".join(str(7_000 + step * BATCH + place) for place in range(BATCH))
    assert f"the loss is nan at step {step + 1} of epoch 3, whose windows are of the" in said
    assert f"of the tracks {tracks}; try a lower training.learning_rate (it is 0.001), or " in said
    assert "training.clip_norm=1, and where that does not help, leave these tracks out" in said


def test_many_tracks_are_counted_and_a_clipped_recipe_is_not_told_to_clip() -> None:
    from genre_model.learning.stepping.loss_watch import diverged_in_words

    said = diverged_in_words(
        float("inf"),
        epoch=1,
        step=2,
        tracks=np.repeat(np.arange(30), 2),
        spec=TrainSpec(clip_norm=1),
    )
    assert "the loss is inf at step 2 of epoch 1" in said
    assert "18, 19 and 10 more; try" in said
    assert "clip_norm" not in said


def test_a_training_ends_with_the_tracks_whose_windows_are_no_numbers() -> None:
    shards = len(np.unique(TRAINING // ROWS_PER_SHARD))
    calls: list[int] = []

    def spoilt(shard: int) -> np.ndarray:
        """Serve a NaN in track 1005 once all shards have been looked at."""
        calls.append(shard)
        rows = reader(ROWS)(shard).copy()
        if len(calls) > shards and shard == 0:
            rows[5] = np.nan
        return rows

    with pytest.raises(DivergedError, match=r"at step \d+ of epoch 1, .* tracks .*\b1005\b"):
        fit(spec=SHORT, read_shard=spoilt)


def test_an_update_of_an_epochs_last_step_that_spoils_the_weights_is_told_as_such(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import keras

    from genre_model.learning.epochs import Epochs

    steps = -(-len(TRAINING) * ROWS.shape[1] // SHORT.batch_size)

    class Spoiling(keras.callbacks.Callback):  # type: ignore[misc]
        def on_train_batch_end(self, batch: int, logs: object = None) -> None:  # noqa: ARG002
            if batch == steps - 1:
                self.model.set_weights([np.nan * each for each in self.model.get_weights()])

    monkeypatch.setattr(Epochs, "_callbacks", lambda *_: [Spoiling()])
    with pytest.raises(
        DivergedError, match=rf"after step {steps} of epoch 1, its last, .* tracks 1\d\d\d, 1\d"
    ):
        fit(spec=SHORT)


@pytest.mark.parametrize(
    ("fits", "remedy"),
    [
        (
            8,
            "; one of 8 does, so set training.batch_size=8 and training.accumulation=4, which "
            "learns as much at a time",
        ),
        (0, ", nor does one of a single window; choose a smaller network"),
    ],
)
def test_a_batch_that_does_not_fit_is_told_with_a_size_that_does(
    monkeypatch: pytest.MonkeyPatch, fits: int, remedy: str
) -> None:
    import keras
    import tensorflow as tf

    tried: list[int] = []

    def fail(*_: object, **__: object) -> None:
        raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")

    def step(_: object, windows: np.ndarray, targets: np.ndarray) -> None:
        assert windows.shape[1:] == ROWS.shape[2:]
        assert len(windows) == len(targets)
        tried.append(len(windows))
        if len(windows) > fits:
            fail()

    monkeypatch.setattr(keras.Model, "fit", fail)
    monkeypatch.setattr(keras.Model, "train_on_batch", step)
    with pytest.raises(InvalidSpec) as caught:
        fit(spec=SHORT)
    assert str(caught.value) == (
        "training.batch_size is 32, and a step of so many windows does not fit into the memory of "
        f"CPU{remedy}"
    )
    assert tried == ([16, 8] if fits else [16, 8, 4, 2, 1])


def test_where_windows_are_kept_a_batch_that_does_not_fit_is_told_to_stream(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import keras

    def fail(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(keras.Model, "fit", fail)
    monkeypatch.setattr(keras.Model, "train_on_batch", lambda *_: None)
    with pytest.raises(InvalidSpec, match=r"so set training\.feed=streaming, which frees 0 MB of"):
        fit(spec=replace(SHORT, feed="resident"))
    monkeypatch.setattr(keras.Model, "train_on_batch", fail)
    with pytest.raises(
        InvalidSpec, match=r"; set training\.feed=streaming, .* MB of it, or choose"
    ):
        fit(spec=replace(SHORT, feed="resident"))


def test_what_is_validated_and_does_not_fit_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    import keras

    def fail(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(keras.Model, "predict_on_batch", fail)
    with pytest.raises(
        InvalidSpec, match=r"windows at a time, .* set training\.feed=streaming, wh"
    ):
        fit(spec=replace(SHORT, epochs=1))


def test_what_is_tried_of_kept_and_augmented_windows_is_a_step_of_so_many() -> None:
    from genre_model.learning.stepping.epoch_batches import EpochBatches

    labels = np.arange(6, dtype=np.int32) % 2
    given = EpochBatches(
        ((np.zeros((3, 3), np.int32), np.arange(3)) for _ in range(2)),  # type: ignore[arg-type]
        count=2,
        labels=labels,
        classes=2,
        weights={0: 1.0, 1: 2.0},
        draw=lambda size: {"share": np.ones(size, np.float32), "partner": np.arange(size)},
    )
    windows, targets, weights = given.trial(2)
    assert {name: each.shape for name, each in windows.items()} == {
        "windows": (2, 3),
        "share": (2,),
        "partner": (2,),
    }
    assert (targets.shape, weights.shape) == ((2, 2), (2,))
    assert (windows["windows"].dtype, weights.dtype) == (np.int32, np.float32)
    (single, *_) = given.trial(1)
    assert single["partner"].tolist() == [0]
