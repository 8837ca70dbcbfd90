"""Top genres from genres.csv: derived where all of a track's genres share a root, never guessed."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_catalogue import row, tracks_csv

from genre_model.data.catalogue import SUBSETS
from genre_model.data.fma.genres_csv import derive_genres, read_genres
from genre_model.data.fma.subset_tracks import select
from genre_model.data.fma.tracks_csv import read_tracks
from genre_model.errors import CatalogueError

# As FMA has them: Punk, Post-Punk and Loud-Rock are Rock; Chiptune is Electronic.
GENRES_CSV = b"""genre_id,#tracks,parent,title,top_level
12,32923,0,Rock,12
15,34413,0,Electronic,15
25,9261,12,Punk,12
45,12371,12,Loud-Rock,12
89,1858,25,Post-Punk,12
286,1000,15,Chiptune,15
"""
TOPS = read_genres(GENRES_CSV)


def derived(*cells: str | None, genre: str = "") -> pd.DataFrame:
    """Give tracks the genres of `cells`, and derive their top genres."""
    rows = {
        number: row(genre, **({} if cell is None else {"track_genres": cell}))
        for number, cell in enumerate(cells, start=1)
    }
    return derive_genres(read_tracks(tracks_csv(rows)), TOPS)


def test_every_genre_has_its_root() -> None:
    assert TOPS == {
        12: "Rock",
        15: "Electronic",
        25: "Rock",
        45: "Rock",
        89: "Rock",
        286: "Electronic",
    }


@pytest.mark.parametrize(
    ("cell", "genre"),
    [
        ("[25]", "Rock"),
        ("[89, 45, 12]", "Rock"),
        ("[286]", "Electronic"),
        ("[25, 286]", None),
        ("[]", None),
        (None, None),
        ("[25, 4711]", None),
        ("[4711]", None),
        ("25", None),
        ("(25,)", None),
        ("[True]", None),
        ("['Rock']", None),
        ("[25", None),
        ("__import__('os').abort()", None),
        ("[" * 5_000, None),
    ],
)
def test_a_genre_is_derived_only_where_all_genres_share_a_root(
    cell: str | None, genre: str | None
) -> None:
    tracks = derived(cell)
    found = tracks["genre_top"].iloc[0]
    assert found == genre if genre else pd.isna(found)
    assert tracks["genre_source"].tolist() == ["derived" if genre else "given"]


def test_a_given_genre_stays_whatever_the_genres_are() -> None:
    tracks = derived("[286]", "[]", "[25, 286]", genre="Pop")
    assert tracks["genre_top"].tolist() == ["Pop"] * 3
    assert tracks["genre_source"].tolist() == ["given"] * 3


def test_derived_tracks_are_labelled_counted_and_told() -> None:
    tracks = derived("[25]", "[25, 286]", "[286]", "[]")
    catalogue = select(tracks, subset="small")
    assert catalogue.tracks["track_id"].tolist() == [1, 3]
    assert catalogue.tracks["genre"].tolist() == ["Rock", "Electronic"]
    assert (catalogue.unlabelled, catalogue.derived) == (2, 2)
    assert catalogue.remarks[0].startswith("2 tracks have no top genre of their own")
    plain = select(tracks.drop(columns="genre_source"), subset="small")
    assert (plain.derived, plain.unlabelled) == (0, 2)
    assert plain.id != catalogue.id


@given(
    cells=st.lists(
        st.tuples(
            st.lists(st.sampled_from([*TOPS, 4711]), max_size=3), st.sampled_from(["", "Pop"])
        ),
        min_size=1,
    )
)
@settings(max_examples=40, deadline=None)
def test_no_track_is_lost_and_none_guessed(cells: list[tuple[list[int], str]]) -> None:
    rows = {
        number: row(genre, track_genres=str(genres), subset=SUBSETS[number % 4])
        for number, (genres, genre) in enumerate(cells)
    }
    tracks = derive_genres(read_tracks(tracks_csv({**rows, 900: row("Folk")})), TOPS)
    catalogue = select(tracks, subset="full")
    assert len(catalogue.tracks) + catalogue.unlabelled == len(cells) + 1
    for number, genre, source in catalogue.tracks[["track_id", "genre", "genre_source"]].values:
        if source == "derived":
            assert {TOPS.get(each) for each in cells[number][0]} == {genre}
        else:
            assert genre in ("Pop", "Folk")


def test_tracks_csv_without_genres_derives_nothing() -> None:
    columns = [("set", "split"), ("set", "subset"), ("track", "genre_top"), ("track", "title")]
    columns += [("artist", "id"), ("artist", "name"), ("album", "id"), ("track", "license")]
    columns += [("track", "duration"), ("track", "bit_rate")]
    tracks = derive_genres(read_tracks(tracks_csv({2: row(""), 3: row()}, columns=columns)), TOPS)
    assert tracks["genre_top"].isna().tolist() == [True, False]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "not FMA's genres.csv"),
        (GENRES_CSV.replace(b",", b";"), "has semicolons between its columns"),
        (b"<html>\nNot found\n", "lacks genre_id, title, top_level"),
        (GENRES_CSV.replace(b"top_level", b"top"), "lacks top_level"),
        (GENRES_CSV + b"300,1,12,Odd,99\n", "genre 300 the top level 99, which it does not have"),
        (GENRES_CSV + b"25,1,12,Punk,12\n", "names genre 25 more than once"),
        (GENRES_CSV + b"x,1,12,Odd,12\n", "the genre id 'x'"),
        (GENRES_CSV + b"300,1,12,,12\n", "the title ''"),
        (GENRES_CSV + b"300,1,12,Odd\n", "the top level ''"),
        (GENRES_CSV + b"9" * 5_000 + b",1,12,Odd,12\n", "two whole numbers"),
        (GENRES_CSV + b"300,1,12,R\xf6ck,12\n", "not UTF-8"),
    ],
)
def test_what_is_no_genres_csv_is_refused_in_one_sentence(content: bytes, said: str) -> None:
    with pytest.raises(CatalogueError, match=r"^here/genres\.csv ") as refusal:
        read_genres(content, name="here/genres.csv")
    message = str(refusal.value)
    assert said in message
    assert "\n" not in message
    assert message.endswith(".")
