"""Tracks that hang together: by an artist, by an album, or by a chain of both.

    track 1 ── artist A ── track 2 ── a compilation ── track 3 ── artist B ── track 4

all four are one component. A split by artists alone lets albums cross it: a compilation's tracks
share mastering and encoder, and its artists the label's sound.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

_LINKS = ("artist_id", "album_id")


def components(tracks: pd.DataFrame) -> np.ndarray:
    """Find the connected components of artist and album.

    Parameters
    ----------
    tracks : pd.DataFrame
        A catalogue's frame: `artist_id`, and `album_id` where it has one; what is NA links nothing.

    Returns
    -------
    np.ndarray [shape=(tracks,), int64]
        From 0; equal for tracks that hang together.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    count = len(tracks)
    ends: list[tuple[np.ndarray, np.ndarray]] = []
    nodes = count
    for column in (each for each in _LINKS if each in tracks):
        known = tracks[column].notna().to_numpy(bool)
        ids, place = np.unique(tracks.loc[known, column].to_numpy(np.int64), return_inverse=True)
        ends.append((np.flatnonzero(known), nodes + place))
        nodes += len(ids)
    rows, columns = (np.concatenate(each) for each in zip(*ends, strict=True))
    edges = coo_array((np.ones(len(rows), bool), (rows, columns)), shape=(nodes, nodes))
    _, numbers = connected_components(edges, directed=False)
    of_tracks: np.ndarray = numbers[:count].astype(np.int64)
    return of_tracks


def crosses_splits(tracks: pd.DataFrame) -> np.ndarray:
    """Tell which training tracks hang together with a track of another split.

    Parameters
    ----------
    tracks : pd.DataFrame
        As for `components`, and `split`.

    Returns
    -------
    np.ndarray [shape=(tracks,), bool]
    """
    numbers = components(tracks)
    in_training = (tracks["split"] == "training").to_numpy(bool)
    crosses: np.ndarray = in_training & np.isin(numbers, numbers[~in_training])
    return crosses


def component_remark(tracks: pd.DataFrame) -> str | None:
    """Say in one sentence what hangs together across splits by albums; None if nothing does.

    Parameters
    ----------
    tracks : pd.DataFrame
        As for `components`, and `split`.
    """
    if "album_id" not in tracks or tracks["album_id"].isna().all():
        return None
    found = pd.DataFrame({"component": components(tracks), "split": tracks["split"].to_numpy()})
    grouped = found.groupby("component")["split"].agg(["nunique", "size"])
    crossing = grouped[grouped["nunique"] > 1]
    if crossing.empty:
        return None
    count, inside = len(crossing), int(crossing["size"].sum())
    lie = "component" if count == 1 else "components"
    return (
        f"{count:,} {lie} of artists and albums in several splits ({inside:,} tracks): "
        "--split-policy components trains without their training tracks."
    )
