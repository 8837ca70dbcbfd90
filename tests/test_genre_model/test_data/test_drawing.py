"""Splits drawn by whole groups: nothing torn apart, even, the same again, and nothing lost."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genre_model.data.drawing.balance import TEST, TRAINING, VALIDATION, balance
from genre_model.data.drawing.draw import draw
from genre_model.data.drawing.groups import group
from genre_model.data.drawing.path_hash import track_id
from genre_model.data.drawing.split_by import SPLIT_BY
from genre_model.data.sharing.components import components

Track = tuple[int | None, int | None, str]
"""Artist, album, genre."""

TRACKS = st.lists(
    st.tuples(
        st.one_of(st.none(), st.integers(0, 12)),
        st.one_of(st.none(), st.integers(0, 9)),
        st.sampled_from(["jazz", "rock", "ska"]),
    ),
    min_size=1,
    max_size=40,
)


def frame(tracks: Sequence[Track]) -> pd.DataFrame:
    """Make a catalogue's frame; each track has a path of its own in one of a few folders."""
    paths = [f"{number % 7}/{number}.mp3" for number in range(len(tracks))]
    return pd.DataFrame(
        {
            "track_id": [track_id(path) for path in paths],
            "path": paths,
            "genre": [genre for _, _, genre in tracks],
            "artist_id": pd.array([artist for artist, _, _ in tracks], dtype="Int64"),
            "album_id": pd.array([album for _, album, _ in tracks], dtype="Int64"),
        }
    )


def trained_on(tracks: pd.DataFrame, splits: pd.Series[str]) -> set[int]:
    return set(tracks.loc[splits == "training", "track_id"])


@given(TRACKS, st.sampled_from(SPLIT_BY))
@settings(max_examples=60, deadline=None)
def test_no_group_is_torn_apart(tracks: list[Track], by: str) -> None:
    table = frame(tracks)
    splits, drawn = draw(table, by=by)
    numbers = group(table, by=by).numbers
    assert (splits.groupby(numbers).nunique() == 1).all()
    assert drawn.groups == len(set(numbers))
    assert sum(each.tracks for each in drawn.splits.values()) == len(table)
    if by == "artist":
        assert (splits.groupby(components(table)).nunique() == 1).all()
    else:
        known = {"album": table["album_id"].dropna(), "folder": table["path"].str[0]}
        parts = known.get(by, table["path"])
        assert (splits[parts.index].groupby(parts).nunique() == 1).all()


@given(TRACKS, TRACKS)
@settings(max_examples=60, deadline=None)
def test_adding_files_takes_no_track_from_training(tracks: list[Track], more: list[Track]) -> None:
    grown = frame([*tracks, *more])
    before = draw(frame(tracks), by="artist")[0]
    trained = trained_on(frame(tracks), before)
    after, drawn = draw(grown, by="artist", trained=trained)
    assert trained <= trained_on(grown, after)
    assert drawn.kept <= drawn.groups
    again, _ = draw(grown, by="artist", trained=trained_on(grown, after))
    assert again.equals(after)


@given(TRACKS, st.randoms(use_true_random=False))
@settings(max_examples=30, deadline=None)
def test_the_order_of_the_files_decides_nothing(tracks: list[Track], random: object) -> None:
    table = frame(tracks)
    shuffled = table.sample(frac=1, random_state=random.randrange(99))  # type: ignore[attr-defined]
    assert draw(shuffled, by="artist")[0].sort_index().equals(draw(table, by="artist")[0])


def test_the_splits_stay_the_same_between_versions() -> None:
    table = frame([(number, None, "rock") for number in range(20)])
    splits, _ = draw(table, by="artist")
    assert table.loc[splits == "test", "artist_id"].tolist() == TESTED
    assert table.loc[splits == "validation", "artist_id"].tolist() == VALIDATED


TESTED, VALIDATED = [0, 7], [9, 18]


@pytest.mark.parametrize(("groups", "size"), [(3, 1), (5, 1), (8, 2), (10, 3), (40, 2), (200, 5)])
def test_groups_of_one_size_are_as_even_as_can_be(groups: int, size: int) -> None:
    table = frame([(artist, None, "rock") for artist in range(groups) for _ in range(size)])
    splits, drawn = draw(table, by="artist")
    each = max(1, round(groups / 10)) * size
    assert (splits == "test").sum() == each
    assert (splits == "validation").sum() == each
    assert drawn.unbalanced == ()


def test_groups_of_many_sizes_are_near_their_shares_in_every_genre() -> None:
    rng = np.random.default_rng(5)
    sizes = rng.geometric(0.15, 120).tolist()
    tracks: list[Track] = [
        (artist, None, "rock" if artist % 3 else "ska")
        for artist, size in enumerate(sizes)
        for _ in range(size)
    ]
    table = frame(tracks)
    splits, drawn = draw(table, by="artist")
    for genre in ("rock", "ska"):
        shares = splits[table["genre"] == genre].value_counts(normalize=True)
        assert shares["test"] == pytest.approx(0.1, abs=0.02)
        assert shares["validation"] == pytest.approx(0.1, abs=0.02)
    assert drawn.unbalanced == ()


def test_every_genre_gets_every_split_where_it_has_three_groups() -> None:
    sizes = {"a": (30, 2, 1), "b": (9, 9, 9), "c": (5, 1), "d": (4,)}
    counts = np.array(
        [
            [size if genre == name else 0 for genre in sizes]
            for name, each in sizes.items()
            for size in each
        ]
    )
    splits = balance(counts, np.arange(len(counts)) / 10, kept=np.zeros(len(counts), bool))
    found = {name: set(splits[counts[:, place] > 0]) for place, name in enumerate(sizes)}
    assert found["a"] == found["b"] == {TRAINING, VALIDATION, TEST}
    assert found["c"] == {TRAINING, TEST}
    assert found["d"] == {TRAINING}
    assert splits[0] == TRAINING  # its largest


def test_what_could_not_be_balanced_is_said() -> None:
    table = frame([*((1, None, "jazz") for _ in range(9)), *((n, 4, "rock") for n in range(2, 9))])
    splits, drawn = draw(table, by="artist")
    assert set(splits) == {"training"}
    assert drawn.unbalanced[0] == (
        "'jazz' has 0 of its 9 tracks in validation and 0 in test (1 group, the largest of 9)"
    )
    assert drawn.remarks[0].startswith("Whole groups (by artist) could not be balanced: 'jazz' has")
    _, again = draw(table, by="artist", trained=set(table["track_id"][:1]))
    assert "the largest of 9; 1 trained on before);" in again.remarks[0]
    assert again.kept == 1
    assert drawn.in_words == (
        "by artist, 2 groups of up to 9 tracks: training 2 with 16 tracks, validation 0 with 0 "
        "tracks, test 0 with 0 tracks"
    )


def test_unknown_artists_go_by_folder_and_albums_link_artists() -> None:
    table = frame([(None, None, "a"), (1, 5, "a"), (2, 5, "a"), (3, None, "a"), (None, 6, "a")])
    table["path"] = ["x/1", "y/2", "z/3", "x/4", "x/5"]
    by_artist = group(table, by="artist").numbers
    assert by_artist[0] == by_artist[4]
    assert by_artist[1] == by_artist[2]
    assert len(set(by_artist)) == 3  # the third artist's folder does not make it the unknown one's
    assert len(set(group(table, by="album").numbers)) == 3
    assert len(set(group(table, by="folder").numbers)) == 3
    assert len(set(group(table, by="track").numbers)) == 5
