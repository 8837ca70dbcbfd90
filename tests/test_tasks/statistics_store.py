"""A store with classical statistics that tell two genres apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from labelled_rows import DATA_SET, write_rows

from genre_model.frontends import PRESETS
from storage.store import Store

MFCC = PRESETS["mfcc"]
GENRES = ("Blues", "Folk")
TRACKS = 48
SPLITS = ("training", "training", "validation", "test")


def statistics_store(place: Path, *, leaky: bool = False) -> Store:
    """Write them; every artist is in one split.

    Parameters
    ----------
    place : Path
    leaky : bool
        Give the first test track the artist, and the windows, of the first training track.
    """
    found, labels = Store.create(place), np.arange(TRACKS) % len(GENRES)
    tracks = pd.DataFrame(
        {
            "track_id": 1000 + np.arange(TRACKS),
            "path": [f"{each}.mp3" for each in range(TRACKS)],
            "genre": np.array(GENRES)[labels],
            "split": np.array(SPLITS)[np.arange(TRACKS) // len(GENRES) % len(SPLITS)],
            "artist_id": pd.array(np.arange(TRACKS) // 2, dtype="Int64"),
            **dict.fromkeys(("artist", "title", "license"), "a text"),
        }
    )
    rows = np.random.default_rng(3).normal(0, 1, (TRACKS, *MFCC.row_shape))
    rows[..., 0] += 4 * labels[:, np.newaxis]
    if leaky:
        first = int(np.flatnonzero(tracks["split"] == "test")[0])
        tracks.loc[first, "artist_id"] = tracks.loc[0, "artist_id"]
        rows[first] = rows[0]
    write_rows(found, MFCC, tracks, rows.astype(np.float16))
    found.catalogues.write("made-0", tracks, attributes={"data_set": DATA_SET})
    return found
