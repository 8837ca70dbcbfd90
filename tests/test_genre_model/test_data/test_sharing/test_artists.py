"""The artist check: who has tracks in several splits, and the sentence that says so."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genre_model.data.fma.subset_tracks import select
from genre_model.data.fma.tracks_csv import read_tracks
from genre_model.data.sharing.artists import artist_remark, artists_in_several_splits
from genre_model.data.sharing.components import component_remark
from genre_model.specs import SPLITS


def tracks_of(*lines: tuple[int | None, str], names: dict[int, str] | None = None) -> pd.DataFrame:
    """Make tracks of (artist's number, split)."""
    frame = pd.DataFrame(lines, columns=["artist_id", "split"])
    frame["artist_id"] = pd.array([artist for artist, _ in lines], dtype="Int64")
    frame["artist"] = frame["artist_id"].map(names or {}).astype("str")
    return frame


DISJOINT = tracks_of((1, "training"), (2, "validation"), (3, "test"), (1, "training"))


def test_artists_in_two_splits_are_found() -> None:
    assert artists_in_several_splits(DISJOINT).empty
    spread = tracks_of(
        (2, "training"), (1, "test"), (1, "training"), (2, "validation"), (3, "test")
    )
    assert artists_in_several_splits(spread).to_dict("list") == {
        "artist_id": [1, 2],
        "splits": ["training, test", "training, validation"],
    }


LINES = st.lists(st.tuples(st.sampled_from([None, 1, 2, 3]), st.sampled_from(SPLITS)), min_size=1)


@given(lines=LINES)
@settings(max_examples=60, deadline=None)
def test_an_artist_is_found_if_and_only_if_the_splits_differ(
    lines: list[tuple[int | None, str]],
) -> None:
    found = artists_in_several_splits(tracks_of(*lines)).set_index("artist_id")["splits"].to_dict()
    for artist in (1, 2, 3):
        splits = {split for of, split in lines if of == artist}
        told = ", ".join(split for split in SPLITS if split in splits)
        assert found.get(artist) == (told if len(splits) > 1 else None)
    assert set(found) <= {1, 2, 3}


def test_nothing_is_said_of_artists_that_stay_in_one_split() -> None:
    assert artist_remark(DISJOINT) is None


def test_unknown_artists_are_not_one_artist() -> None:
    some = tracks_of((None, "training"), (None, "test"), (1, "training"), (2, "test"))
    assert artists_in_several_splits(some).empty
    assert artist_remark(some) is None
    none = tracks_of((None, "training"), (None, "test"))
    assert artists_in_several_splits(none).empty
    assert str(artist_remark(none)).startswith("No artists are known")


@pytest.mark.parametrize(
    ("tracks", "said"),
    [
        (
            tracks_of(
                *((1, "training"), (1, "test"), (1, "test"), (2, "training"), (2, "test")),
                *((3, "validation"), (3, "test"), (4, "test"), (None, "test"), (5, "training")),
                names={1: "Foo\nof | Bar", 2: "Baz"},
            ),
            "3 artists have tracks in several splits (as Foo of | Bar: training, test), which "
            "flatters the accuracy: 3 of the 6 test tracks are by artists of the training split.",
        ),
        (
            tracks_of((7, "test"), (7, "training"), (8, "test")),
            "1 artist has tracks in several splits (as artist 7: training, test), which flatters "
            "the accuracy: 1 of the 2 test tracks is by an artist of the training split.",
        ),
        (
            tracks_of((1, "training"), (1, "validation"), (2, "test"), names={1: "x" * 999}),
            f"1 artist has tracks in several splits (as {'x' * 60}: training, validation); none "
            "of the 1 test tracks is by an artist of the training split.",
        ),
    ],
)
def test_shared_artists_are_one_sentence(tracks: pd.DataFrame, said: str) -> None:
    assert artist_remark(tracks) == said


def test_artists_of_the_real_clips_are_disjoint(real_music: Path) -> None:
    catalogue = select(read_tracks(real_music / "fma_metadata" / "tracks.csv"), subset="small")
    assert catalogue.shared_artists == 0
    assert artist_remark(catalogue.tracks) is None
    # their albums are not: musicians met on compilations
    (remark,) = catalogue.remarks
    assert remark == component_remark(catalogue.tracks)
