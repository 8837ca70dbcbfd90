"""How the audio of tracks was made, and what of it is heard: what mistakes may hang on."""

from __future__ import annotations

import numpy as np
import pandas as pd

from storage.array.tables import current_rows
from tasks.labelled import LabelledFeatures


def conditions_of(data: LabelledFeatures) -> pd.DataFrame:
    """Say what is known of each usable track beside its genre.

    Returns
    -------
    pd.DataFrame
        `track_id`, `bit_rate` [kbit/s, the file's mean], `seconds` of audio, `windows` (whole ones
        of its row), `artist_tracks` (of its artist in the catalogue); NaN where not known.
    """
    rows = current_rows(data.features.rows())
    seconds = rows["duration_s"].to_numpy(np.float64)
    size = rows["size"].to_numpy(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = np.where((seconds > 0) & (size > 0), size * 8 / seconds / 1000, np.nan)
    heard = pd.DataFrame(
        {
            "track_id": rows["track_id"],
            "bit_rate": rate,
            "seconds": np.where(seconds > 0, seconds, np.nan),
            "windows": rows["windows"].to_numpy(np.float64),
        }
    )
    artists = data.tracks["artist_id"]
    counts = artists.map(artists.value_counts()).astype("Float64")
    known = counts.to_numpy(np.float64, na_value=np.nan)
    owned = pd.DataFrame({"track_id": data.tracks["track_id"], "artist_tracks": known})
    return heard[heard["track_id"].isin(data.rows["track_id"])].merge(owned, on="track_id")
