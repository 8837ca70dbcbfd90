"""What hangs together by artists and albums, and what of it crosses the splits."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from genre_model.data.sharing.components import component_remark, components, crosses_splits


def frame(artists: list[int | None], albums: list[int | None], splits: str = "") -> pd.DataFrame:
    """Make tracks; a split is named by its first letter."""
    names = {"t": "training", "v": "validation", "e": "test"}
    return pd.DataFrame(
        {
            "artist_id": pd.array(artists, dtype="Int64"),
            "album_id": pd.array(albums, dtype="Int64"),
            "split": [names[each] for each in splits] or ["training"] * len(artists),
        }
    )


def test_a_chain_of_artists_and_albums_is_one_component() -> None:
    tracks = frame([1, 1, 2, 3, None, None], [None, 7, 7, 8, 8, None])
    found = components(tracks)
    assert len(set(found[:3])) == 1
    assert found[3] == found[4]
    assert len(set(found)) == 3


def test_an_artist_and_an_album_of_one_number_are_not_the_same() -> None:
    assert len(set(components(frame([1, 2, None], [None, None, 1])))) == 3


def test_a_catalogue_of_before_has_no_albums() -> None:
    found = components(frame([1, 1, 2], [5, 6, 6]).drop(columns="album_id"))
    assert found[0] == found[1] != found[2]


def test_training_tracks_that_hang_together_with_others_are_told() -> None:
    #        by artist with test; by album with validation; by a chain; alone; test itself
    tracks = frame([1, 2, 3, 4, 1, 5, 2], [None, 9, 9, None, None, 9, None], "ttttevt")
    assert crosses_splits(tracks).tolist() == [True, True, True, False, False, False, True]


def test_what_lies_in_several_splits_is_counted_once_a_component() -> None:
    tracks = frame([1, 2, 3, 3, 4], [9, 9, None, None, 8], "tetvt")
    assert component_remark(tracks) == (
        "2 components of artists and albums in several splits (4 tracks): --split-policy "
        "components trains without their training tracks."
    )
    assert component_remark(tracks.drop(columns="album_id")) is None
    assert component_remark(frame([1, 2], [1, 2], "te")) is None
    assert component_remark(frame([1, 1], [None, None], "te")) is None


LINKS = st.lists(
    st.tuples(st.one_of(st.none(), st.integers(0, 5)), st.one_of(st.none(), st.integers(0, 5))),
    min_size=1,
    max_size=12,
)


@given(LINKS, st.data())
@settings(deadline=None, max_examples=40)
def test_no_component_is_left_in_training_and_elsewhere(
    links: list[tuple[int | None, int | None]], data: st.DataObject
) -> None:
    splits = "".join(data.draw(st.sampled_from("tve")) for _ in links)
    tracks = frame([each[0] for each in links], [each[1] for each in links], splits)
    crosses, numbers = crosses_splits(tracks), components(tracks)
    training = (tracks["split"] == "training").to_numpy()
    kept = set(numbers[training & ~crosses])
    assert kept.isdisjoint(numbers[~training])
    assert not (crosses & ~training).any()
    for one in range(len(tracks)):
        for other in range(one):
            linked = [
                tracks.loc[one, column] == tracks.loc[other, column]
                for column in ("artist_id", "album_id")
                if pd.notna(tracks.loc[one, column]) and pd.notna(tracks.loc[other, column])
            ]
            assert not any(linked) or numbers[one] == numbers[other]
    assert np.isin(numbers[crosses], numbers[~training]).all()
