"""A catalogue that has too little is refused in the words of its own layout."""

from __future__ import annotations

import pandas as pd
import pytest

from genre_model.data.catalogue import Catalogue
from genre_model.data.layouts import LAYOUTS, remedies_of
from genre_model.data.remedies import (
    Remedies,
    check_genres,
    check_split,
    check_splits,
    check_usable,
    unjudged_genres,
)
from genre_model.errors import CatalogueError

ALL = ("training", "validation", "test")


def tracks(*pairs: tuple[str, str]) -> pd.DataFrame:
    """Make tracks of (genre, split)."""
    return pd.DataFrame(pairs, columns=["genre", "split"])


def catalogue(*pairs: tuple[str, str]) -> Catalogue:
    return Catalogue("mine", "full", tracks(*pairs), unlabelled=0)


def words(layout: str) -> Remedies:
    return remedies_of(layout, subset="small")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_one_genre_is_refused(layout: str) -> None:
    check_genres(catalogue(("Rock", "test"), ("Pop", "test")), data="/m", remedies=words(layout))
    with pytest.raises(CatalogueError, match=r"all 2 tracks of /m .* one genre, .Rock") as one:
        check_genres(catalogue(*[("Rock", "test")] * 2), data="/m", remedies=words(layout))
    assert str(one.value).endswith(words(layout).genres)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("lacking", ALL)
def test_a_run_needs_tracks_in_every_split(layout: str, lacking: str) -> None:
    remedies = words(layout)
    check_splits(catalogue(*[("Rock", split) for split in ALL]), data="/m", remedies=remedies)
    there = [("Rock", split) for split in ALL if split != lacking]
    with pytest.raises(CatalogueError, match=f"^none of .* /m is in the split '{lacking}'"):
        check_splits(catalogue(*there), data="/m", remedies=remedies)
    with pytest.raises(CatalogueError, match="splits 'validation' and 'test', without") as two:
        check_splits(catalogue(("Rock", "training")), data="/m", remedies=remedies)
    assert str(two.value).endswith(remedies.split)


def test_training_needs_usable_audio_of_two_genres_in_two_splits() -> None:
    def check(*pairs: tuple[str, str]) -> None:
        check_usable(tracks(*pairs), catalogue="mine-1", remedies=words("folders"))

    good = ("Rock", "training"), ("Pop", "training"), ("Pop", "validation")
    check(*good)
    with pytest.raises(CatalogueError, match=r"no track of mine-1 .* 'validation' \(2 in all spl"):
        check(*good[:2])
    with pytest.raises(CatalogueError, match=r"split 'training' \(1 in all splits\); put more"):
        check(good[2])
    with pytest.raises(CatalogueError, match=r"are of one genre, 'Pop', .*; put songs of another"):
        check(*good[1:])


def test_a_split_without_usable_audio_is_refused_with_the_remedy() -> None:
    with pytest.raises(CatalogueError, match=r"'test' \(1 in all splits\); choose a larger --sub"):
        check_split(
            tracks(("Rock", "training")), split="test", catalogue="fma-1", remedies=words("fma")
        )


def test_a_genre_without_training_tracks_is_refused_and_one_without_validation_tracks_told() -> (
    None
):
    rows = pd.DataFrame(
        {
            "genre": ["Folk", "Rock", "Jazz", "Folk", "Jazz", "Soul"],
            "split": ["training", "training", "training", "validation", "test", "training"],
        }
    )
    remedies = remedies_of(None, subset="")
    check_usable(rows, catalogue="made-0", remedies=remedies)
    assert unjudged_genres(rows) == (
        "no validation track is of the genres 'Jazz', 'Rock', 'Soul': the best epoch is chosen "
        "without"
    )
    assert unjudged_genres(rows[rows["genre"] == "Folk"]) == ""
    rows.loc[2, "split"] = "test"
    with pytest.raises(CatalogueError, match="is of the genre 'Jazz' in the split 'training', and"):
        check_usable(rows, catalogue="made-0", remedies=remedies)
