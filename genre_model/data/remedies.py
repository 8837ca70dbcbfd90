"""What helps against what a catalogue lacks, in the words of its data set's layout.

Each layout brings its own (`remedies`), so that no one who has folders of genres is told to mend a
tracks.csv.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from genre_model.errors import CatalogueError
from genre_model.specs import LEAST_GENRES, SPLITS

if TYPE_CHECKING:
    import pandas as pd

    from genre_model.data.catalogue import Catalogue


@dataclass(frozen=True, kw_only=True)
class Remedies:
    """Ends of sentences, each behind "…; ".

    Attributes
    ----------
    genres : str
        What helps where fewer than two genres are there.
    split : str
        What helps where a split has no track.
    """

    genres: str
    split: str


UNKNOWN = Remedies(
    genres="add tracks of another genre to the data set and run `genre features` again",
    split="add tracks to the data set and run `genre features` again",
)
"""Of a catalogue that does not say of which layout its data set is."""


def check_genres(catalogue: Catalogue, *, data: str, remedies: Remedies) -> None:
    """Refuse a catalogue of one genre, before anything is decoded.

    Parameters
    ----------
    catalogue : Catalogue
    data : str
        What the error calls the data folder.
    remedies : Remedies
        Of its layout.

    Raises
    ------
    CatalogueError
    """
    genres = catalogue.genres
    if len(genres) < LEAST_GENRES:
        raise CatalogueError(
            f"all {len(catalogue.tracks):,} tracks of {data} are of one genre, "
            f"{', '.join(map(repr, genres))}, and two are the least that can be told apart; "
            f"{remedies.genres}"
        )


def check_splits(catalogue: Catalogue, *, data: str, remedies: Remedies) -> None:
    """Refuse a catalogue with which no run can end, since a split has no track at all.

    Parameters
    ----------
    catalogue, data, remedies
        As for `check_genres`.

    Raises
    ------
    CatalogueError
    """
    there = set(catalogue.tracks["split"])
    if lacking := [split for split in SPLITS if split not in there]:
        raise CatalogueError(
            f"none of the {len(catalogue.tracks):,} tracks of {data} is in the "
            f"{_splits(lacking)}, without which a run cannot end; {remedies.split}"
        )


def check_usable(labelled: pd.DataFrame, *, catalogue: str, remedies: Remedies) -> None:
    """Refuse rows from which nothing can be learned.

    Parameters
    ----------
    labelled : pd.DataFrame
        As `genre_model.data.splits.label_rows` returns it: `genre` and `split` of every track with
        usable audio.
    catalogue : str
        Its id.
    remedies : Remedies

    Raises
    ------
    CatalogueError
        If training or validation has no track, the tracks to learn from are of one genre, or none
        of them is of a genre that others have.
    """
    for split in ("training", "validation"):
        check_split(labelled, split=split, catalogue=catalogue, remedies=remedies)
    genres = labelled.loc[labelled["split"] == "training", "genre"].unique().tolist()
    if len(genres) < LEAST_GENRES:
        raise CatalogueError(
            f"all tracks of {catalogue} with usable audio in the split 'training' are of one "
            f"genre, {', '.join(map(repr, genres))}, and two are the least that can be told "
            f"apart; {remedies.genres}"
        )
    if unlearned := sorted(set(labelled["genre"]) - set(genres)):
        raise CatalogueError(
            f"no track of {catalogue} with usable audio is of {_genres(unlearned)} in the split "
            f"'training', and what is not heard cannot be learned; {remedies.split}"
        )


def unjudged_genres(labelled: pd.DataFrame) -> str:
    """Say which genres no validation track is of; an empty text if there is one of each.

    Parameters
    ----------
    labelled
        As for `check_usable`.
    """
    judged = set(labelled.loc[labelled["split"] == "validation", "genre"])
    if not (lacking := sorted(set(labelled["genre"]) - judged)):
        return ""
    return f"no validation track is of {_genres(lacking)}: the best epoch is chosen without"


def check_split(labelled: pd.DataFrame, *, split: str, catalogue: str, remedies: Remedies) -> None:
    """Refuse a split without usable audio.

    Parameters
    ----------
    labelled, catalogue, remedies
        As for `check_usable`.
    split : str
        One of `SPLITS`.

    Raises
    ------
    CatalogueError
    """
    if not (labelled["split"] == split).any():
        raise CatalogueError(
            f"no track of {catalogue} with usable audio is in the split {split!r} "
            f"({len(labelled):,} in all splits); {remedies.split}"
        )


def _genres(names: Iterable[str]) -> str:
    quoted = [repr(name) for name in names]
    return f"the genre {quoted[0]}" if len(quoted) == 1 else f"the genres {', '.join(quoted)}"


def _splits(names: Iterable[str]) -> str:
    quoted = [repr(name) for name in names]
    return f"split {quoted[0]}" if len(quoted) == 1 else f"splits {' and '.join(quoted)}"
