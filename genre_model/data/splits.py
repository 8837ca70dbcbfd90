"""Labels and splits, joined to feature rows by track id.

They belong to the catalogue and not to the arrays: relabelling a track rewrites no features.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from genre_model.errors import CatalogueError
from genre_model.specs import SPLITS


def label_rows(
    rows: pd.DataFrame, tracks: pd.DataFrame, *, genres: Sequence[str] | None = None
) -> pd.DataFrame:
    """Join feature rows with the catalogue's labels and splits.

    A track's newest row (the highest number) counts, and only if it holds windows: audio that was
    good once and is now refused takes no part. Rows of tracks that the catalogue does not name
    take no part either.

    Parameters
    ----------
    rows : pd.DataFrame
        `row` (number in the array), `track_id` (NA or negative where no track has the row) and
        `windows` (whole windows in the row, 0 if it is not kept); other columns are left out.
    tracks : pd.DataFrame
        A catalogue's frame: `track_id`, `genre`, `split`.
    genres : sequence of str, optional
        The genres in the order of their labels; by default all of `tracks`, sorted. Tracks of
        other genres take no part.

    Returns
    -------
    pd.DataFrame
        Sorted by `row`: `row` int64, `track_id` int64, `windows` int64, `genre`, `label` int32
        (the genre's place in `genres`), `split`.
    """
    names = sorted(tracks["genre"].unique()) if genres is None else list(genres)
    labels = {genre: label for label, genre in enumerate(names)}
    wanted = tracks.loc[tracks["genre"].isin(names), ["track_id", "genre", "split"]]
    joined = _newest(rows).merge(wanted, on="track_id", validate="one_to_one")
    kept = joined[joined["windows"] > 0].sort_values("row", ignore_index=True)
    return kept.assign(label=kept["genre"].map(labels).astype("int32"))[
        ["row", "track_id", "windows", "genre", "label", "split"]
    ]


def split_rows(labelled: pd.DataFrame, *, split: str) -> pd.DataFrame:
    """Take one split's rows.

    Parameters
    ----------
    labelled : pd.DataFrame
        As `label_rows` returns it.
    split : str
        One of `training`, `validation`, `test`.

    Returns
    -------
    pd.DataFrame
        The split's lines, in the same order, numbered anew; none where none is in it
        (`genre_model.data.remedies` refuses that in words that help).

    Raises
    ------
    CatalogueError
        If there is no such split.
    """
    if split not in SPLITS:
        raise CatalogueError(f"There is no split {split!r}; choose one of {', '.join(SPLITS)}.")
    return labelled[labelled["split"] == split].reset_index(drop=True)


def _newest(rows: pd.DataFrame) -> pd.DataFrame:
    """Keep each track's row of the highest number; rows of no track are left out."""
    owned = rows.loc[rows["track_id"].notna(), ["row", "track_id", "windows"]].astype("int64")
    owned = owned[owned["track_id"] >= 0]
    return owned.sort_values("row").drop_duplicates("track_id", keep="last")
