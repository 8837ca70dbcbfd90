"""Intervals hold what they are around, and are the published ones."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genre_model.judging.evaluation import WindowPredictions, evaluate
from genre_model.judging.intervals import Resampling, resampled_sums, wilson_interval
from genre_model.judging.metrics import Metrics

GENRES = ("Blues", "Folk", "Jazz", "Rock")
UNIFORM_CHANCE = {
    "track_accuracy": 0.25,
    "window_accuracy": 0.25,
    "balanced_accuracy": 0.25,
    "macro_f1": 0.25,
    "top2_accuracy": 0.5,
    "dummy_accuracy": 0.25,
    "precision": 0.25,
    "recall": 0.25,
    "f1": 0.25,
}


@given(st.integers(0, 500), st.data())
@settings(deadline=None)
def test_the_interval_holds_the_share_and_stays_within_bounds(
    trials: int, data: st.DataObject
) -> None:
    hits = data.draw(st.integers(0, trials))
    low, high = wilson_interval(hits, trials)
    share = hits / trials if trials else 0.5
    assert 0 <= low <= share + 1e-12
    assert share - 1e-12 <= high <= 1
    surer_low, surer_high = wilson_interval(hits, trials, confidence=0.99)
    assert high - low <= surer_high - surer_low


def test_the_interval_is_the_published_one() -> None:
    # Wilson's interval for 81 of 263 (Newcombe 1998, table I): 0.2553 to 0.3662.
    assert wilson_interval(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    # and for 0 of 20: 0 to 0.1611.
    assert wilson_interval(0, 20) == pytest.approx((0, 0.1611), abs=5e-5)


def test_the_module_needs_no_scipy() -> None:
    code = "import sys, genre_model.judging.intervals; sys.exit('scipy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@given(st.integers(1, 30), st.integers(0, 2**32 - 1))
@settings(deadline=None)
def test_every_resample_has_as_many_groups_as_there_are(groups: int, seed: int) -> None:
    how = Resampling(over="tracks", groups=groups, resamples=300, seed=seed)
    drawn = resampled_sums(np.eye(groups), how)
    assert drawn.shape == (300, groups)
    assert (drawn.sum(axis=1) == groups).all()
    assert np.array_equal(drawn, resampled_sums(np.eye(groups), how))


def judged(
    *, seed: int, tracks: int = 200, artists: np.ndarray | None = None, knows: float = 0.0
) -> Metrics:
    """Judge a model that knows the labels of a share of the artists (or tracks) only."""
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, len(GENRES), tracks)
    owners = np.arange(tracks) if artists is None else artists
    _, places = np.unique(owners, return_inverse=True)
    known = (generator.random(tracks) < knows)[places]
    said = np.where(known, labels, generator.integers(0, len(GENRES), tracks))
    windows = np.repeat(np.eye(len(GENRES))[said], 3, axis=0) * 0.6 + generator.dirichlet(
        np.ones(len(GENRES)), 3 * tracks
    ) * np.array(0.4)
    made = WindowPredictions(windows, np.repeat(labels, 3), np.repeat(np.arange(tracks), 3))
    return evaluate(made, genres=GENRES, training_labels=np.array([0]), artists=artists)


def test_of_permuted_labels_every_interval_covers_chance() -> None:
    """Nine times in ten at least, figure by figure: a 95 % interval may miss sometimes."""
    runs = [judged(seed=seed) for seed in range(25)]
    for name, chance in UNIFORM_CHANCE.items():
        found = [
            interval
            for run in runs
            for interval in (
                [each.intervals[name] for each in run.per_genre.values()]
                if name in ("precision", "recall", "f1")
                else [run.intervals[name]]
            )
        ]
        covered = np.mean([low <= chance <= high for low, high in found])
        assert covered >= 0.9, name
        assert all(high - low < 0.45 for low, high in found), name


def test_artists_with_many_tracks_widen_the_intervals() -> None:
    """What is known of an artist is known of all of his tracks: these are no 200 trials."""
    artists = np.arange(200) // 20
    by_artist = judged(seed=1, artists=artists, knows=0.5)
    alone = judged(seed=1, artists=-1 - np.arange(200), knows=0.5)
    assert (by_artist.resampling.over, by_artist.resampling.groups) == ("artists", 10)
    assert (alone.resampling.over, alone.resampling.groups) == ("tracks", 200)
    widths = [high - low for low, high in (m.track_accuracy_interval for m in (by_artist, alone))]
    assert widths[0] > 1.5 * widths[1]


def test_a_perfect_score_of_few_tracks_is_not_taken_for_certain() -> None:
    few = WindowPredictions(np.eye(4), np.arange(4), np.arange(4))
    metrics = evaluate(few, genres=GENRES, training_labels=np.array([0]))
    assert metrics.track_accuracy_interval == pytest.approx(wilson_interval(4, 4))
    folk = metrics.per_genre["Folk"]
    assert folk.recall == folk.f1 == 1
    assert folk.intervals["recall"] == pytest.approx(wilson_interval(1, 1))
    low, high = folk.intervals["f1"]
    assert (0.2 < low < 0.5, high) == (True, 1.0)
