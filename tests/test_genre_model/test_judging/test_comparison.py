"""Comparisons are over the tracks that both models predicted, and say what they rest on."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genre_model.judging.evaluation import WindowPredictions, evaluate, track_table
from genre_model.judging.paired.comparison import Comparison, Evaluated, always, compare, mcnemar

GENRES = ("Folk", "Pop", "Rock")


def evaluated(
    predicted: dict[int, str], *, genre: str = "Rock", catalogue: str = "fma-1", windows: int = 2
) -> Evaluated:
    """Make an evaluation of tracks of one genre; all windows of a track agree."""
    tracks = pd.DataFrame(
        {
            "track_id": list(predicted),
            "genre": genre,
            "predicted": list(predicted.values()),
            "windows": windows,
            "right_windows": [windows * (name == genre) for name in predicted.values()],
        }
    )
    return Evaluated(model="default-1", catalogue=catalogue, tracks=tracks)


def test_only_tracks_that_both_predicted_count() -> None:
    this = evaluated({1: "Rock", 2: "Rock", 3: "Pop", 9: "Pop"})
    other = evaluated({1: "Rock", 2: "Folk", 3: "Folk", 7: "Rock", 8: "Rock"})
    found = compare(this, other, role="champion")
    assert (found.tracks, found.left_out, found.gained, found.lost) == (3, 3, 1, 0)
    figures = {each.name: (each.this, each.other) for each in found.figures}
    assert figures["track_accuracy"] == pytest.approx((2 / 3, 1 / 3))
    assert figures["window_accuracy"] == pytest.approx((2 / 3, 1 / 3))
    # Rock and the genre each was taken for: F1 of 0.8 and 0, and of 0.5 and 0.
    assert figures["macro_f1"] == pytest.approx((0.4, 0.25))
    assert "3 tracks that both predicted (3 tracks of only one evaluation" in found.sentences[0]


def test_the_difference_has_the_interval_of_the_paired_tracks() -> None:
    """Of 40 tracks, 10 are right only here and 2 only there; whose they are widens it."""
    mine = {n: "Rock" if n < 30 else "Pop" for n in range(40)}
    theirs = {n: "Rock" if 10 <= n < 32 else "Pop" for n in range(40)}
    this, other = evaluated(mine), evaluated(theirs)
    found = compare(this, other, role="champion")
    assert (found.gained, found.lost, found.over) == (10, 2, "tracks")
    assert found.difference == pytest.approx(8 / 40)
    spread = np.std([1.0] * 10 + [-1.0] * 2 + [0.0] * 28) / np.sqrt(40)
    assert found.interval == pytest.approx((0.2 - 1.96 * spread, 0.2 + 1.96 * spread), abs=0.03)
    owned = evaluated(mine)
    owned.tracks["artist_id"] = pd.array(owned.tracks["track_id"] // 10, dtype="Int64")
    by_artist = compare(owned, other, role="champion")
    assert by_artist.over == "artists"
    assert by_artist.interval[0] < found.interval[0] < found.interval[1] < by_artist.interval[1]
    assert Comparison.from_dict(json.loads(json.dumps(found.to_dict()))) == found


def test_a_relabelled_track_is_left_out() -> None:
    this, other = evaluated({1: "Rock"}), evaluated({1: "Rock"}, genre="Pop", catalogue="fma-2")
    found = compare(this, other, role="champion")
    assert (found.tracks, found.figures, found.p_value) == (0, (), 1.0)
    assert found.sentences == ("No track was predicted by both this model and the champion.",)


def test_another_catalogue_is_named_and_the_same_one_is_not() -> None:
    this = evaluated({1: "Rock"})
    same = compare(this, evaluated({1: "Pop"}), role="champion")
    other = compare(this, evaluated({1: "Pop"}, catalogue="fma-2"), role="champion")
    assert len(same.sentences) == 1
    assert other.sentences[1] == "The catalogue differs: the champion was evaluated on fma-2."


def test_on_all_tracks_the_figures_are_those_of_the_evaluation() -> None:
    rng = np.random.default_rng(3)
    labels = np.repeat(rng.integers(0, 3, 30), 4)
    made = WindowPredictions(rng.dirichlet(np.ones(3), 120), labels, np.repeat(np.arange(30), 4))
    metrics = evaluate(made, genres=GENRES, training_labels=labels)
    this = Evaluated(model="a", catalogue="c", tracks=track_table(made, genres=GENRES))
    found = compare(this, this, role="champion")
    figures = {each.name: each.this for each in found.figures}
    assert set(figures) == {
        *("track_accuracy", "balanced_accuracy", "macro_f1", "window_accuracy"),
        *("top2_accuracy", "log_loss"),
    }
    assert figures == pytest.approx({name: getattr(metrics, name) for name in figures})
    assert all((each.gain, each.interval) == (0, (0, 0)) for each in found.figures)
    assert "no track tells them apart" in found.sentences[0]


def test_each_figure_has_the_interval_of_what_is_resampled_for_both() -> None:
    """Two models that differ on the tracks of one artist of four alone."""
    rng = np.random.default_rng(4)
    labels, ids = np.arange(80) % 3, np.arange(80)
    right = np.eye(3)[labels] * 0.7 + 0.1
    wrong = right.copy()
    wrong[:20] = np.eye(3)[(labels[:20] + 1) % 3] * 0.7 + 0.1
    tables = [
        track_table(WindowPredictions(each, labels, ids), genres=GENRES) for each in (right, wrong)
    ]
    tables[0]["artist_id"] = pd.array(ids // 20, dtype="Int64")
    one, other = (Evaluated(model="a", catalogue="c", tracks=table) for table in tables)
    found = {each.name: each for each in compare(one, other, role="champion").figures}
    assert found["track_accuracy"].gain == pytest.approx(0.25)
    # of four artists none of the draws has that one (.32), or two have (.21)
    shares = rng.binomial(4, 0.25, 100_000) / 4
    for name in ("track_accuracy", "window_accuracy"):
        assert found[name].interval == pytest.approx(np.quantile(shares, [0.025, 0.975]), abs=0.01)
    nats = np.log(0.8) - np.log(0.1)
    assert found["log_loss"].gain == pytest.approx(-0.25 * nats, rel=1e-4)
    assert found["log_loss"].texts[2].startswith("-0.")
    assert found["log_loss"].interval[1] == 0
    swapped = {each.name: each for each in compare(other, one, role="champion").figures}
    assert swapped["macro_f1"].gain == pytest.approx(-found["macro_f1"].gain)


def test_genres_named_alike_are_told_apart() -> None:
    labels = np.arange(12) % 2
    made = WindowPredictions(np.eye(2)[labels], labels, np.arange(12))
    table = track_table(made, genres=("Rock", "Rock_other"))
    this = Evaluated(model="a", catalogue="c", tracks=table)
    assert compare(this, this, role="champion").figures[0].this == 1


def test_the_dummy_is_paired_with_the_model() -> None:
    this = evaluated({1: "Rock", 2: "Rock", 3: "Pop"})
    this.tracks["p_Rock"] = 0.9
    found = compare(this, always(this, "Rock"), role="dummy")
    assert (found.model, found.gained, found.lost) == ("always Rock", 0, 1)
    figures = {each.name: each.other for each in found.figures}
    assert (figures["track_accuracy"], figures["window_accuracy"]) == (1, 1)
    other = compare(this, always(this, "Folk"), role="dummy")
    assert {each.name: each.other for each in other.figures}["window_accuracy"] == 0
    assert "log_loss" not in figures


@pytest.mark.parametrize(
    ("gained", "lost", "p_value"),
    [(0, 0, 1.0), (1, 0, 1.0), (5, 0, 0.0625), (10, 2, 0.03857421875), (4, 4, 1.0)],
)
def test_mcnemar_on_known_tables(gained: int, lost: int, p_value: float) -> None:
    assert mcnemar(gained, lost) == pytest.approx(p_value)


@given(st.integers(0, 400), st.integers(0, 400))
@settings(deadline=None)
def test_mcnemar_is_the_same_from_either_side(gained: int, lost: int) -> None:
    assert mcnemar(gained, lost) == pytest.approx(mcnemar(lost, gained))
    assert 0 <= mcnemar(gained, lost) <= 1
