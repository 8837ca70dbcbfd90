"""Labels and splits joined to rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genre_model.data.splits import label_rows, split_rows
from genre_model.errors import CatalogueError

TRACKS = pd.DataFrame(
    {
        "track_id": [2, 3, 5, 10],
        "genre": ["Rock", "Folk", "Pop", "Rock"],
        "split": ["training", "validation", "test", "training"],
    }
)


def rows_of(*lines: tuple[int, int | None, int]) -> pd.DataFrame:
    """Make rows of (row, track id, windows)."""
    frame = pd.DataFrame(lines, columns=["row", "track_id", "windows"])
    return frame.astype({"track_id": "Int64"}).assign(status="ok")


def test_rows_get_label_and_split() -> None:
    labelled = label_rows(rows_of((2, 5, 10), (0, 2, 10), (1, 3, 7), (64, 10, 10)), TRACKS)
    assert labelled.to_dict("list") == {
        "row": [0, 1, 2, 64],
        "track_id": [2, 3, 5, 10],
        "windows": [10, 7, 10, 10],
        "genre": ["Rock", "Folk", "Pop", "Rock"],
        "label": [2, 0, 1, 2],
        "split": ["training", "validation", "test", "training"],
    }
    assert labelled["label"].dtype == np.int32


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([(0, 2, 10), (5, 2, 9)], [5]),
        ([(0, 2, 10), (5, 2, 0)], []),
        ([(0, 2, 0), (5, 2, 10)], [5]),
        ([(5, 2, 10), (0, 2, 0)], [5]),
        ([(0, 77, 10), (1, 3, 10)], [1]),
        ([(0, None, 0), (1, -1, 0), (2, 3, 10)], [2]),
        ([], []),
    ],
)
def test_a_tracks_newest_row_counts(
    lines: list[tuple[int, int | None, int]], expected: list[int]
) -> None:
    assert label_rows(rows_of(*lines), TRACKS)["row"].tolist() == expected


def test_the_order_of_genres_gives_the_labels() -> None:
    rows = rows_of((0, 2, 10), (1, 3, 10), (2, 5, 10))
    labelled = label_rows(rows, TRACKS, genres=["Pop", "Rock"])
    assert labelled[["track_id", "label"]].values.tolist() == [[2, 1], [5, 0]]


@given(
    lines=st.lists(
        st.tuples(st.integers(0, 500), st.integers(0, 12), st.integers(0, 10)),
        unique_by=lambda line: line[0],
    )
)
@settings(max_examples=40, deadline=None)
def test_splits_part_the_labelled_rows(lines: list[tuple[int, int, int]]) -> None:
    labelled = label_rows(rows_of(*lines), TRACKS)
    assert labelled["track_id"].is_unique
    assert labelled["row"].is_monotonic_increasing
    assert (labelled["windows"] > 0).all()
    parts = [
        split_rows(labelled, split=split)
        for split in ("training", "validation", "test")
        if split in set(labelled["split"])
    ]
    assert sum(map(len, parts)) == len(labelled)


def test_a_split_may_be_empty_but_not_unknown() -> None:
    labelled = label_rows(rows_of((0, 2, 10)), TRACKS)
    assert split_rows(labelled, split="training")["track_id"].tolist() == [2]
    assert split_rows(labelled, split="test").empty
    with pytest.raises(CatalogueError, match="no split 'train'; choose one of training, valid"):
        split_rows(labelled, split="train")
