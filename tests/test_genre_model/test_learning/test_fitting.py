"""The linear network: which strength is chosen, by whom, and what it weighs."""

from __future__ import annotations

import numpy as np
import pytest
from learnable_rows import GENRES, ROWS_PER_SHARD, index_of, reader

from genre_model.errors import InvalidSpec
from genre_model.learning import fitting
from genre_model.learning.fitting import FOLDS, fit
from genre_model.learning.training_result import HISTORY_COLUMNS, TrainingResult
from genre_model.recipe import ModelSpec, TrainSpec

VALUES = 24
LINEAR = ModelSpec(network="linear")


def embeddings(
    tracks: int, *, seed: int, artists: int | None = None, of_artist: float = 0.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return rows float16 [tracks, windows, values], their labels, and their artists.

    A genre moves three values of its own by a deviation; an artist, who has one genre, all of them
    at random by `of_artist`.
    """
    generator = np.random.default_rng(seed)
    count = artists or tracks
    artist = np.arange(tracks) % count
    labels = (artist % len(GENRES)).astype(np.int32)
    rows = generator.normal(0, 1, (tracks, 3, VALUES))
    rows += of_artist * generator.normal(0, 1, (count, VALUES))[artist][:, None]
    for label in range(len(GENRES)):
        rows[labels == label, :, 3 * label : 3 * label + 3] += 1
    return rows.astype(np.float16), labels, artist.astype(np.int64)


def fitted(
    rows: np.ndarray,
    labels: np.ndarray,
    artists: np.ndarray,
    *,
    training: np.ndarray | None = None,
    validation: np.ndarray | None = None,
    seed: int = 0,
    say: list[str] | None = None,
    classes: int = len(GENRES),
) -> TrainingResult:
    training = np.arange(0, len(rows) * 3 // 4) if training is None else training
    validation = np.arange(len(rows) * 3 // 4, len(rows)) if validation is None else validation
    return fit(
        index_of(labels, training),
        validation=index_of(labels, validation),
        artists=artists[training],
        read_shard=reader(rows),
        rows_per_shard=ROWS_PER_SHARD,
        classes=classes,
        model=LINEAR,
        spec=TrainSpec(seed=seed),
        say=None if say is None else say.append,
    )


def test_it_learns_what_there_is_and_tells_how_it_chose() -> None:
    said: list[str] = []
    rows, labels, artists = embeddings(400, seed=1)

    result = fitted(rows, labels, artists, say=said)

    assert tuple(result.history.columns) == HISTORY_COLUMNS
    assert (len(result.history), result.best_epoch) == (1, 1)
    assert result.validation_track_accuracy > 0.9
    assert result.search is not None
    losses = result.search["strengths"]
    assert isinstance(losses, dict)
    assert float(min(losses, key=lambda each: losses[each])) == result.search["chosen"]
    assert (result.search["folds"], result.search["windows"]) == (FOLDS, 900)
    assert said[0].startswith("C 1e-05: log loss 1.3")
    assert len(said) == len(losses) + 1


def test_shuffled_labels_give_chance() -> None:
    rows, labels, artists = embeddings(800, seed=2)
    shuffled = np.random.default_rng(3).permutation(labels)

    result = fitted(rows, shuffled, artists)

    chance, tracks = 1 / len(GENRES), 200
    assert abs(result.validation_track_accuracy - chance) < 3 * (chance / tracks) ** 0.5


def test_the_strength_is_chosen_without_the_validation_rows() -> None:
    rows, labels, artists = embeddings(200, seed=4)
    others = labels.copy()
    others[150:] = (others[150:] + 1) % len(GENRES)

    one, other = fitted(rows, labels, artists), fitted(rows, others, artists)

    assert one.search == other.search
    for left, right in zip(one.model.get_weights(), other.model.get_weights(), strict=True):
        np.testing.assert_array_equal(left, right)
    assert one.validation_track_accuracy > other.validation_track_accuracy


def test_no_artist_is_in_two_folds_so_that_knowing_artists_earns_nothing() -> None:
    rows, labels, artists = embeddings(240, seed=5, artists=24, of_artist=3.0)

    grouped = fitted(rows, labels, artists).search
    alone = fitted(rows, labels, np.arange(len(artists))).search

    assert grouped is not None
    assert alone is not None
    best = [min(each["strengths"].values()) for each in (grouped, alone)]  # type: ignore[attr-defined]
    assert best[0] > 1.2 * best[1]


def test_the_same_seed_gives_the_same_network() -> None:
    given = embeddings(120, seed=6)

    one, other = fitted(*given, seed=7), fitted(*given, seed=7)

    for left, right in zip(one.model.get_weights(), other.model.get_weights(), strict=True):
        np.testing.assert_array_equal(left, right)


def test_a_rare_genre_weighs_as_much_as_the_others() -> None:
    rows, labels, artists = embeddings(800, seed=8)
    rare = np.flatnonzero(labels == 0)[:20]
    kept = np.sort(np.concatenate([rare, np.flatnonzero(labels != 0)[:450]]))
    of_validation = np.flatnonzero(labels == 0)[100:180]

    result = fitted(rows, labels, artists, training=kept, validation=of_validation)

    assert result.validation_track_accuracy > 0.7


def test_two_genres_are_told_apart_as_by_any_number() -> None:
    rows, labels, artists = embeddings(400, seed=9)

    result = fitted(rows, labels // 2, artists, classes=2)

    assert result.model.output_shape == (None, 2)
    assert result.validation_track_accuracy > 0.8


def test_too_few_artists_to_choose_by_are_told_of() -> None:
    said: list[str] = []
    rows, labels, _ = embeddings(80, seed=10)

    result = fitted(rows, labels, np.zeros(80, np.int64), say=said)

    assert result.search == {"strengths": {}, "chosen": 0.01, "folds": 0, "windows": 180}
    assert said == ["too few artists to choose C by: the usual 1e-02 is taken"]


def test_of_many_windows_some_of_each_track_are_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitting, "SEARCHED_WINDOWS", 300)
    rows, labels, artists = embeddings(400, seed=11)

    result = fitted(rows, labels, artists)

    assert result.search is not None
    assert result.search["windows"] == 300
    assert result.validation_track_accuracy > 0.9


@pytest.mark.parametrize("most", [4, 7, 60, 90, 250])
def test_of_many_tracks_some_of_each_genre_are_searched_and_fitted(most: int) -> None:
    labels = np.repeat(np.arange(4), [200, 100, 40, 5])[np.random.default_rng(1).permutation(345)]
    tracks = np.repeat(np.arange(345), 3)
    values = np.arange(len(tracks), dtype=np.float32)[:, None]
    windows = fitting._Windows(values, tracks, labels, 1_000 + np.arange(345), 4)

    found, again = windows.thinned(most), windows.thinned(most)

    assert len(found.values) <= most
    np.testing.assert_array_equal(found.values, again.values)
    here = (found.artists - 1_000)[found.tracks]
    np.testing.assert_array_equal(found.values[:, 0] // 3, here)
    np.testing.assert_array_equal(found.labels[found.tracks], labels[here])
    counts = np.bincount(found.labels, minlength=4)
    expected = {4: [1, 1, 1, 1], 7: [1, 1, 1, 1], 60: [18, 18, 18, 5], 90: [28, 28, 28, 5]}
    assert counts.tolist() == expected.get(most, [105, 100, 40, 5])
    assert found.weights(np.ones(len(found.labels), bool)).sum() == pytest.approx(len(found.labels))


def test_it_learns_from_fewer_windows_than_there_are_tracks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fitting, "SEARCHED_WINDOWS", 100)
    monkeypatch.setattr(fitting, "FITTED_WINDOWS", 200)
    rows, labels, artists = embeddings(400, seed=11)

    result = fitted(rows, labels, artists)

    assert result.search is not None
    assert (result.search["windows"], result.search["folds"]) == (100, FOLDS)
    assert result.validation_track_accuracy > 0.8


def test_a_value_that_never_moves_is_not_blown_up() -> None:
    rows, labels, artists = embeddings(200, seed=12)
    rows[..., -1] = 0.5
    rows[::7, :, -1] = np.float16(0.5005)

    deviation = fitted(rows, labels, artists).statistics.deviation

    assert deviation[-1] == pytest.approx(0.5 * np.median(deviation), rel=0.05)


def test_rows_that_nothing_can_be_learned_from_are_refused() -> None:
    rows, labels, artists = embeddings(40, seed=13)

    with pytest.raises(InvalidSpec, match="'validation' has 0 rows"):
        fitted(rows, labels, artists, validation=np.array([], np.int64))
