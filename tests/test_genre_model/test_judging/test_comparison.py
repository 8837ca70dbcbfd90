"""Comparisons are over the tracks that both models predicted, and say what they rest on."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genre_model.judging.comparison import Comparison, Evaluated, compare, mcnemar
from genre_model.judging.evaluation import WindowPredictions, evaluate, track_table

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
    assert figures["Track accuracy"] == pytest.approx((2 / 3, 1 / 3))
    assert figures["Window accuracy"] == pytest.approx((2 / 3, 1 / 3))
    # Rock and the genre each was taken for: F1 of 0.8 and 0, and of 0.5 and 0.
    assert figures["Macro-F1"] == pytest.approx((0.4, 0.25))
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
    assert [each.this for each in found.figures] == pytest.approx(
        [metrics.track_accuracy, metrics.window_accuracy, metrics.macro_f1]
    )
    assert all(each.gain == 0 for each in found.figures)
    assert "no track tells them apart" in found.sentences[0]


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
