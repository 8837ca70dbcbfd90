"""Training on rows that can be learned: it learns, from labels alone, and can be resumed."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from learnable_rows import GENRES, ROWS_PER_SHARD, index_of, reader
from scipy.stats import binom
from trainings import (
    LABELS,
    ROWS,
    SHORT,
    TEST,
    TRAINING,
    VALIDATION,
    Kept,
    assert_same,
    cut_off_and_resumed,
    fit,
    hits,
    undisturbed_and_resumed,
)

from genre_model.errors import InvalidSpec
from genre_model.learning.batches import RowIndex
from genre_model.learning.inference import predict_rows, softmax, window_probabilities
from genre_model.recipe import ModelSpec, TrainSpec


def _losses(history: Sequence[Mapping[str, float]]) -> list[float]:
    return [line["loss"] for line in history]


@pytest.fixture(scope="module")
def trained():  # noqa: ANN201
    lines: list[tuple[int, int]] = []
    result = fit(
        on_epoch=lambda number, most, history: lines.append((number, most, *_losses(history)))
    )
    return result, lines


def test_what_can_be_learned_is_learned(trained: tuple) -> None:
    assert hits(trained[0].model, LABELS) > 0.8 * len(TEST)


def test_labels_shuffled_at_random_give_chance() -> None:
    labels = np.random.default_rng(11).permutation(LABELS)
    # 1 in 10,000 runs of pure chance falls outside.
    low, high = binom.ppf([0.00005, 0.99995], len(TEST), 1 / len(GENRES))
    assert low <= hits(fit(labels).model, labels) <= high < 0.5 * len(TEST)


def test_the_result_tells_how_it_came_to_be(trained: tuple) -> None:
    from genre_model.learning.training import HISTORY_COLUMNS

    result, lines = trained
    history: pd.DataFrame = result.history
    assert tuple(history.columns) == HISTORY_COLUMNS
    assert history["epoch"].tolist() == [1, 2, 3, 4]
    assert lines == [(epoch, 4, *history["loss"][:epoch]) for epoch in (1, 2, 3, 4)]
    assert history["loss"].iloc[-1] < history["loss"].iloc[0]
    assert (history["seconds"] > 0).all()
    windows = index_of(LABELS, TRAINING).window_count
    assert (history["windows_per_second"] * history["seconds"] > windows).all()
    assert result.windows_per_second == history["windows_per_second"].median()
    assert history["learning_rate"].is_monotonic_decreasing
    best = history.iloc[result.best_epoch - 1]
    assert best["validation_track_accuracy"] == history["validation_track_accuracy"].max()
    assert result.validation_track_accuracy == best["validation_track_accuracy"]
    mean = ROWS[TRAINING].astype(np.float64).mean(axis=(0, 1, 3))
    np.testing.assert_allclose(result.statistics.mean, mean, rtol=1e-4)


def test_the_model_has_the_weights_of_its_best_epoch(trained: tuple) -> None:
    result, _ = trained
    index = index_of(LABELS, VALIDATION)
    predictions = predict_rows(result.model, index, reader(ROWS), rows_per_shard=ROWS_PER_SHARD)
    assert predictions.tracks().accuracy() == result.validation_track_accuracy
    assert predictions.accuracy() == result.validation_window_accuracy
    loss = result.history["validation_loss"].iloc[result.best_epoch - 1]
    assert predictions.cross_entropy() == pytest.approx(loss, rel=1e-4)


@pytest.mark.whole
def test_the_stall_share_is_what_was_waited_for() -> None:
    """7 training shards in pools of 3 and 2 validation shards: 4 waits of one sleep an epoch.

    Two epochs beside each other, since how long an epoch takes else is not known here; the first
    one of a training is long, because the network is built in it.
    """
    sleeps = iter([0.0, 0.25, 0.0])
    sleep_s = [0.0]

    def next_epoch(*_: object) -> None:
        sleep_s[0] = next(sleeps)

    def read(shard: int) -> np.ndarray:
        time.sleep(sleep_s[0])
        return reader(ROWS)(shard)

    spec = replace(SHORT, epochs=3, learning_rate=1e-3)
    result = fit(spec=spec, read_shard=read, on_epoch=next_epoch)
    prompt, late = result.history.iloc[1], result.history.iloc[2]
    assert 0 <= prompt["stall_share"] < 1
    waited = late["stall_share"] * late["seconds"]
    # a busy machine hides a part of one wait behind a slow step
    assert 2 * 0.25 < waited < late["seconds"]
    of_all = (result.history["stall_share"] * result.history["seconds"]).sum()
    assert result.stall_share == pytest.approx(of_all / result.history["seconds"].sum())


def test_the_stall_share_weighs_epochs_by_their_seconds() -> None:
    from genre_model.learning.training import stall_share

    timed = ({"seconds": 1.0, "stall_share": 0.5}, {"seconds": 3.0, "stall_share": 0.1})
    assert stall_share(timed) == pytest.approx(0.2)


@pytest.mark.whole
def test_a_training_that_was_cut_off_goes_on_as_if_it_had_not_been(trained: tuple) -> None:
    assert_same(cut_off_and_resumed(SHORT, after=2), trained[0])


# What each holds between two epochs: moments, decay, clipping, the step of a schedule, a rate that
# has fallen, an average of the weights, half a sum of gradients (11 steps, 3 at a time).
@pytest.mark.slow
@pytest.mark.parametrize(
    ("settings", "rates"),
    [
        ({"optimiser": "adamw", "weight_decay": 0.05, "clip_norm": 1.0}, [3e-3, 2.25e-3, 7.5e-4]),
        ({"schedule": "constant", "warmup_epochs": 1}, [3e-3 / 11, 3e-3, 3e-3]),
        ({"warmup_epochs": 2, "class_weights": "balanced"}, [3e-3 / 22, 1.568e-3, 3e-3]),
        (
            {"optimiser": "sgd", "schedule": "plateau", "plateau_epochs": 1, "learning_rate": 1e-7},
            [1e-7, 1e-7, 5e-8],
        ),
        ({"optimiser": "sgd", "momentum": 0.5, "accumulation": 3}, [3e-3, 2.25e-3, 7.5e-4]),
        ({"ema": 0.9, "label_smoothing": 0.1, "patience": 0}, [3e-3, 2.25e-3, 7.5e-4]),
    ],
    ids=lambda each: "-".join(each) if isinstance(each, dict) else "",
)
def test_what_a_recipe_says_is_done_and_resumed(
    settings: dict[str, Any], rates: list[float]
) -> None:
    spec = replace(SHORT, epochs=3, **settings)
    undisturbed, resumed = undisturbed_and_resumed(spec, after=2)
    assert undisturbed.history["learning_rate"].tolist() == pytest.approx(rates, rel=1e-3)
    assert_same(resumed, undisturbed)


@pytest.mark.slow
def test_the_average_of_the_weights_is_kept_and_what_is_trained_goes_on_without_it() -> None:
    """With one step an epoch the average after epoch n is known from the steps themselves."""
    once = replace(SHORT, epochs=3, batch_size=512, schedule="constant", patience=0)
    plain, averaged = Kept(), Kept()
    fit(spec=once, checkpoints=plain)
    fit(spec=replace(once, ema=0.5), checkpoints=averaged)
    average = None
    for as_stepped, state in zip(plain.all(), averaged.all(), strict=True):
        weights = [each.numpy() for each in as_stepped.network.trainable_weights]
        for left, right in zip(weights, state.network.trainable_weights, strict=True):
            np.testing.assert_allclose(left, right.numpy(), atol=1e-5)
        average = (
            weights
            if average is None
            else [(old + new) / 2 for old, new in zip(average, weights, strict=True)]
        )
        if len(state.history) == best_of(state):
            state.network.set_weights(state.best_weights)
            for left, right in zip(average, state.network.trainable_weights, strict=True):
                np.testing.assert_allclose(left, right.numpy(), atol=1e-5)


def best_of(state: Any) -> int:
    from genre_model.learning.best_epoch import best_epoch

    return best_epoch(state.history)


@pytest.mark.slow
def test_balanced_weights_lift_what_is_rare() -> None:
    """One genre has a ninth of the tracks: without weights it is named less often than with."""
    from genre_model.learning.stepping.class_weights import class_weights

    rare = TRAINING[LABELS[TRAINING] == 0][::9]
    places = np.sort(np.concatenate([rare, TRAINING[LABELS[TRAINING] != 0]]))
    index = index_of(LABELS, places)
    balanced = replace(SHORT, class_weights="balanced")
    weights = class_weights(index, len(GENRES), balanced)
    assert weights is not None
    assert class_weights(index, len(GENRES), SHORT) is None
    windows = np.bincount(index.labels, index.windows)
    assert windows @ list(weights.values()) == pytest.approx(windows.sum())
    assert np.ptp(windows * list(weights.values())) == pytest.approx(0)

    def named(spec: TrainSpec) -> float:
        from genre_model.learning.training import train

        result = train(
            index,
            validation=index_of(LABELS, VALIDATION),
            read_shard=reader(ROWS),
            classes=len(GENRES),
            spec=spec,
            rows_per_shard=ROWS_PER_SHARD,
        )
        tests = index_of(LABELS, TEST)
        found = predict_rows(result.model, tests, reader(ROWS), rows_per_shard=ROWS_PER_SHARD)
        return float(found.tracks().probabilities[:, 0].mean())

    assert named(balanced) > 1.3 * named(SHORT)


@pytest.mark.parametrize(
    ("accuracies", "count"),
    [([0.5], 0), ([0.5, 0.4], 0), ([0.5, 0.4, 0.5], 1), ([0.5, 0.4, 0.4, 0.6, 0.1, 0.1], 2)],
)
def test_a_plateau_is_so_many_epochs_without_a_better_one(
    accuracies: list[float], count: int
) -> None:
    from genre_model.learning.stepping.rates import falls

    history = tuple(line(each, 1.0) for each in accuracies)
    assert falls(history, TrainSpec(schedule="plateau", plateau_epochs=2)) == count
    warmed = TrainSpec(schedule="plateau", plateau_epochs=2, warmup_epochs=1)
    assert falls((line(0.9, 1.0), *history), warmed) == len(history) // 2


def test_more_steps_than_an_epoch_has_are_not_accumulated() -> None:
    with pytest.raises(InvalidSpec, match=r"accumulation is 12, but an epoch has 11 steps of 32"):
        fit(spec=replace(SHORT, accumulation=12))


@pytest.mark.parametrize("first", [0, 5])
def test_what_the_reader_raises_comes_out_as_it_was(first: int) -> None:
    shards = len(np.unique(TRAINING // ROWS_PER_SHARD))
    calls: list[int] = []
    raised: list[PermissionError] = []

    def failing(shard: int) -> np.ndarray:
        calls.append(shard)
        if len(calls) > shards + first:  # the first look at all shards is over
            raised.append(PermissionError("no key for the bucket"))
            raise raised[-1]
        return reader(ROWS)(shard)

    with pytest.raises(PermissionError, match="no key for the bucket") as caught:
        fit(read_shard=failing)
    assert caught.value in raised


def empty() -> RowIndex:
    return index_of(LABELS, np.zeros(0, np.int64))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda training, _: (training, empty()), "'validation' has 0 rows"),
        (lambda _, validation: (empty(), validation), "'training' has 0 rows"),
        (lambda training, _: (training, index_of(LABELS + 2, VALIDATION)), "labels from 2 to 5"),
    ],
)
def test_rows_that_cannot_be_trained_on_are_refused(
    change: Callable[[RowIndex, RowIndex], tuple[RowIndex, RowIndex]], sentence: str
) -> None:
    from genre_model.learning.training import train

    training, validation = change(index_of(LABELS, TRAINING), index_of(LABELS, VALIDATION))
    with pytest.raises(InvalidSpec, match=sentence):
        train(
            training,
            validation=validation,
            read_shard=reader(ROWS),
            rows_per_shard=ROWS_PER_SHARD,
            classes=4,
        )


def test_a_network_that_the_windows_do_not_fit_is_refused() -> None:
    with pytest.raises(InvalidSpec, match="12 bands x 16 frames"):
        fit(model=ModelSpec(network="notebook"))


def line(accuracy: float, loss: float) -> dict[str, float]:
    return {"validation_track_accuracy": accuracy, "validation_loss": loss}


@pytest.mark.parametrize(
    ("history", "best"),
    [
        ([line(0.5, 1)], 1),
        ([line(0.5, 1), line(0.6, 9)], 2),
        ([line(0.5, 1), line(0.5, 0.9), line(0.4, 0.1)], 2),
        ([line(0.5, 1), line(0.5, 1)], 1),
    ],
)
def test_the_best_epoch_is_the_most_accurate_then_the_surest_then_the_first(
    history: list[dict[str, float]], best: int
) -> None:
    from genre_model.learning.best_epoch import best_epoch

    assert best_epoch(tuple(history)) == best


@pytest.mark.whole
def test_training_stops_when_patience_runs_out() -> None:
    spec = TrainSpec(epochs=30, batch_size=32, patience=1, learning_rate=1e-6, pooled_shards=3)
    result = fit(spec=spec)
    assert len(result.history) == result.best_epoch + 1 < 30


def test_probabilities_are_those_of_the_logits() -> None:
    logits = np.array([[1000.0, 1000.0], [0.0, np.log(3)], [-1e4, 0.0]])
    np.testing.assert_allclose(softmax(logits), [[0.5, 0.5], [0.25, 0.75], [0, 1]], atol=1e-6)


def test_a_windows_probabilities_do_not_depend_on_its_batch(trained: tuple) -> None:
    windows = ROWS[TEST].reshape(-1, *ROWS.shape[2:])[:150]
    together = window_probabilities(trained[0].model, windows)
    apart = np.concatenate(
        [
            window_probabilities(trained[0].model, windows[:7]),
            window_probabilities(trained[0].model, windows[7:]),
        ]
    )
    np.testing.assert_allclose(together, apart, atol=1e-5)
    assert window_probabilities(trained[0].model, windows[:0]).shape == (0, 4)
