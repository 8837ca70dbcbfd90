"""Passages: a single window changes nothing, a change of the music does, where it happens."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genre_model.hearing.passages import CHANGE_COST, passages
from genre_model.hearing.prediction import Passage, Prediction, clock
from genre_model.signal.status import Status

GENRES = ("Electronic", "Hip-Hop", "Rock")
STEP, LENGTH = 3.0, 3.5


def windows(letters: str, *, sure: float = 0.9) -> np.ndarray:
    """Make probabilities of windows from the genres' first letters."""
    other = (1 - sure) / 2
    rows = np.full((len(letters), 3), other)
    rows[np.arange(len(letters)), ["EHR".index(letter) for letter in letters]] = sure
    return rows


def joined(probabilities: np.ndarray, **options: float) -> list[Passage]:
    starts = [STEP * place for place in range(len(probabilities))]
    return passages(starts, probabilities, GENRES, length=LENGTH, **options)


def said(letters: str, **options: float) -> list[tuple[float, float, str]]:
    found = joined(windows(letters), **options)
    return [(each["start"], each["end"], each["genre"][0]) for each in found]


def test_a_change_is_told_where_it_happens() -> None:
    assert said("E" * 12 + "H" * 10) == [(0, 36, "E"), (36, 21 * STEP + LENGTH, "H")]


def test_windows_that_differ_for_a_moment_change_nothing() -> None:
    assert said("EEEEEHEEEEERREEEEE") == [(0, 17 * STEP + LENGTH, "E")]


def test_for_nothing_each_window_speaks_for_itself() -> None:
    assert [genre for _, _, genre in said("EHHRE", change_cost=0)] == ["E", "H", "R", "E"]


def test_one_window_is_one_passage_with_its_probability() -> None:
    (only,) = joined(windows("R", sure=0.7))
    assert only == {
        "start": 0.0,
        "end": LENGTH,
        "genre": "Rock",
        "probability": pytest.approx(0.7),
    }


@given(
    st.lists(st.tuples(*[st.floats(0, 1)] * 3).filter(any), min_size=1, max_size=8),
    st.floats(0, 20),
)
def test_no_other_path_is_more_probable(rows: list[tuple[float, ...]], cost: float) -> None:
    """Compared with all paths there are."""
    probabilities = np.array(rows) / np.sum(rows, axis=1, keepdims=True)
    scores = np.log(np.maximum(probabilities, 1e-6))
    many = len(rows)
    paths = np.stack(np.meshgrid(*[range(3)] * many, indexing="ij"), -1).reshape(-1, many)
    worth = scores[np.arange(many), paths].sum(axis=1)
    worth -= cost * (paths[:, 1:] != paths[:, :-1]).sum(axis=1)
    found = joined(probabilities, change_cost=cost)
    path = [
        GENRES.index(each["genre"])
        for each in found
        for place in range(many)
        if each["start"] <= place * STEP and (place * STEP < each["end"] or each is found[-1])
    ]
    path = path[:many]
    own = scores[np.arange(many), path].sum() - cost * (len(found) - 1)
    assert own == pytest.approx(worth.max())


@given(st.text("EHR", min_size=1, max_size=60))
def test_passages_cover_all_windows_without_a_gap(letters: str) -> None:
    found = joined(windows(letters))
    assert found[0]["start"] == 0
    assert found[-1]["end"] == pytest.approx((len(letters) - 1) * STEP + LENGTH)
    for one, next_one in pairwise(found):
        assert one["end"] == next_one["start"]
        assert one["genre"] != next_one["genre"]
    assert all(0 <= each["probability"] <= 1 for each in found)


def test_a_change_costs_what_it_says() -> None:
    gain = np.log(0.9 / 0.05)
    needed = int(np.ceil(CHANGE_COST / gain))
    assert len(said("E" * 20 + "H" * (needed - 1))) == 1
    assert len(said("E" * 20 + "H" * needed)) == 2


def test_passages_in_words() -> None:
    prediction = Prediction(
        "mix.mp3",
        Status.OK,
        passages=[
            {"start": 0, "end": 250, "genre": "Electronic", "probability": 0.8},
            {"start": 250, "end": 475.4, "genre": "Hip-Hop", "probability": 0.6},
        ],
    )
    assert prediction.passages_in_words == "0:00–4:10 Electronic, 4:10–7:55 Hip-Hop"
    assert [clock(each) for each in (59.6, 3_599.4, 3_600)] == ["1:00", "59:59", "1:00:00"]
