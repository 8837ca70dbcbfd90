"""What must not be torn apart by a split: tracks of one artist, album or folder.

    song.mp3 ── artist A ── a compilation ── artist B ── other.mp3      one group by artist

A group's place in the draw comes from the hashes of its artists (or albums, folders), so that
further songs of theirs leave it where it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from genre_model.data.drawing.path_hash import place, track_id
from genre_model.data.sharing.components import components

_LINKS = {"artist": "artist_id", "album": "album_id"}


@dataclass(frozen=True)
class Groups:
    """Tracks that hang together.

    Attributes
    ----------
    numbers : np.ndarray [shape=(tracks,), int64]
        The group of each track, from 0; every number occurs.
    places : np.ndarray [shape=(groups,), float64, 0 to 1]
        Where each group stands in the draw: the least place of its artists.
    """

    numbers: np.ndarray
    places: np.ndarray


def group(tracks: pd.DataFrame, *, by: str) -> Groups:
    """Find which tracks must stay together.

    Parameters
    ----------
    tracks : pd.DataFrame
        A catalogue's frame, at least one track: `path`, `artist_id`, `album_id` (NA where not
        known: then the folder of the track counts).
    by : {"artist", "album", "folder", "track"}
        With `artist`, albums link their artists too: compilations become one group with all who
        are on them.
    """
    owners = _owners(tracks, by=by)
    numbers = np.unique(owners.to_numpy(str), return_inverse=True)[1].astype(np.int64)
    if by == "artist":
        # those whose artist is not known are one "artist" a folder, of a negative number
        folders = pd.Series([-1 - track_id(_folder(path)) for path in tracks["path"]])
        artists = tracks["artist_id"].reset_index(drop=True).astype("Int64").fillna(folders)
        linked = pd.DataFrame({"artist_id": artists, "album_id": tracks["album_id"].to_numpy()})
        numbers = np.unique(components(linked), return_inverse=True)[1].astype(np.int64)
    places = np.ones(int(numbers.max()) + 1)
    known = {owner: place(owner) for owner in owners.unique()}
    np.minimum.at(places, numbers, owners.map(known).to_numpy(np.float64))
    return Groups(numbers, places)


def _owners(tracks: pd.DataFrame, *, by: str) -> pd.Series[str]:
    """Name of each track what it belongs to."""
    paths = tracks["path"]
    if by == "track":
        return paths.astype(str)
    folders = pd.Series([f"folder {_folder(path)}" for path in paths], index=tracks.index)
    if by == "folder":
        return folders
    ids = tracks[_LINKS[by]].astype("Int64")
    return folders.where(ids.isna(), by + " " + ids.astype("string")).astype(str)


def _folder(path: str) -> str:
    return path.rpartition("/")[0]
