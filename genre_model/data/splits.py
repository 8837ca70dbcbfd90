"""Labels and splits, joined to feature rows by track id.

They belong to the catalogue and not to the arrays: relabelling a track rewrites no features.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
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
        The split's lines, in the same order, numbered anew.

    Raises
    ------
    CatalogueError
        If there is no such split, or no row is in it.
    """
    if split not in SPLITS:
        raise CatalogueError(f"There is no split {split!r}; choose one of {', '.join(SPLITS)}.")
    chosen = labelled[labelled["split"] == split].reset_index(drop=True)
    if chosen.empty:
        raise CatalogueError(
            f"No track with usable audio is in the split {split!r} ({len(labelled):,} in all "
            "splits); choose a larger subset or check the column set.split of tracks.csv."
        )
    return chosen


def shared_artists(tracks: pd.DataFrame) -> pd.DataFrame:
    """Find the artists whose tracks are spread over several splits.

    Parameters
    ----------
    tracks : pd.DataFrame
        A catalogue's frame: `artist_id` (those that are NA are not looked at), `split`.

    Returns
    -------
    pd.DataFrame
        One line such an artist, sorted: `artist_id`, `splits` (their names, comma-separated).
    """
    known = tracks.dropna(subset="artist_id")
    splits = known.groupby("artist_id")["split"].agg(lambda of: ", ".join(sorted(set(of))))
    spread = splits[splits.str.contains(",")]
    return spread.rename("splits").reset_index()


def check_artists_disjoint(tracks: pd.DataFrame) -> None:
    """Refuse tracks of which one artist is in several splits: the test would measure the artist.

    Raises
    ------
    CatalogueError
        Naming the first such artist and how many there are.
    """
    shared = shared_artists(tracks)
    if len(shared):
        raise CatalogueError(
            f"Artist {shared['artist_id'].iloc[0]} has tracks in several splits "
            f"({shared['splits'].iloc[0]}), one of {len(shared):,} such artists; put each of them "
            "into one split of tracks.csv."
        )


def shuffled_labels(labels: np.ndarray, *, seed: int) -> np.ndarray:
    """Permute labels among tracks, so that nothing but chance can be learned from them.

    Parameters
    ----------
    labels : np.ndarray [shape=(tracks,), integer]
        The labels; not changed.
    seed : int
        The same seed gives the same permutation.

    Returns
    -------
    np.ndarray [shape=(tracks,), same type]
        The same labels, as often each, in another order.
    """
    return np.random.default_rng(seed).permutation(labels)


def _newest(rows: pd.DataFrame) -> pd.DataFrame:
    """Keep each track's row of the highest number; rows of no track are left out."""
    owned = rows.loc[rows["track_id"].notna(), ["row", "track_id", "windows"]].astype("int64")
    owned = owned[owned["track_id"] >= 0]
    return owned.sort_values("row").drop_duplicates("track_id", keep="last")
