"""Labels and splits joined to rows, artists kept apart, labels shuffled."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genre_model.data.catalogue import read_tracks, select
from genre_model.data.splits import (
    check_artists_disjoint,
    label_rows,
    shared_artists,
    shuffled_labels,
    split_rows,
)
from genre_model.errors import CatalogueError

TRACKS = pd.DataFrame(
    {
        "track_id": [2, 3, 5, 10],
        "genre": ["Rock", "Folk", "Pop", "Rock"],
        "split": ["training", "validation", "test", "training"],
        "artist_id": pd.array([1, 2, 3, 1], dtype="Int64"),
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


def test_an_empty_or_unknown_split_is_refused() -> None:
    labelled = label_rows(rows_of((0, 2, 10)), TRACKS)
    assert split_rows(labelled, split="training")["track_id"].tolist() == [2]
    with pytest.raises(CatalogueError, match="usable audio is in the split 'test'"):
        split_rows(labelled, split="test")
    with pytest.raises(CatalogueError, match="no split 'train'; choose one of training, valid"):
        split_rows(labelled, split="train")


def test_artists_in_two_splits_are_found() -> None:
    check_artists_disjoint(TRACKS)
    assert shared_artists(TRACKS).empty
    spread = TRACKS.assign(artist_id=pd.array([1, 2, 1, 2], dtype="Int64"))
    assert shared_artists(spread).to_dict("list") == {
        "artist_id": [1, 2],
        "splits": ["test, training", "training, validation"],
    }
    with pytest.raises(CatalogueError, match=r"^Artist 1 .*\(test, training\), one of 2 such"):
        check_artists_disjoint(spread)


def test_unknown_artists_are_not_one_artist() -> None:
    check_artists_disjoint(TRACKS.assign(artist_id=pd.array([None] * 4, dtype="Int64")))


def test_artists_of_the_real_clips_are_disjoint(real_music: Path) -> None:
    catalogue = select(read_tracks(real_music / "fma_metadata" / "tracks.csv"), subset="small")
    check_artists_disjoint(catalogue.tracks)


def test_shuffled_labels_are_the_same_labels() -> None:
    labels = np.repeat(np.arange(8, dtype=np.int32), 20)
    before = labels.copy()
    shuffled = shuffled_labels(labels, seed=1)
    assert shuffled.dtype == labels.dtype
    assert np.array_equal(labels, before)
    assert np.array_equal(np.sort(shuffled), before)
    assert np.array_equal(shuffled, shuffled_labels(labels, seed=1))
    assert not np.array_equal(shuffled, shuffled_labels(labels, seed=2))
    # Of 160 labels 20 stay in place by chance, with a deviation of about 4.
    assert np.count_nonzero(shuffled == labels) < 45
