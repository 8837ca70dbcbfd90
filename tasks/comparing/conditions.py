"""How the audio of tracks was made, and what of it is heard: what mistakes may hang on."""

from __future__ import annotations

import numpy as np
import pandas as pd

from storage.array.manifests import SOUND_FIELDS
from storage.array.tables import current_rows
from tasks.labelled import LabelledFeatures


def audio_of(rows: pd.DataFrame) -> pd.DataFrame:
    """Say what the rows of an array know of their audio.

    Parameters
    ----------
    rows : pd.DataFrame
        Of `current_rows`.

    Returns
    -------
    pd.DataFrame
        `track_id`, `seconds` that were decoded, `bit_rate` [kbit/s, the file's mean],
        `sample_rate` [Hz], `channels`, `level_db` [dBFS]; NaN where not known.
    """
    seconds = rows["duration_s"].to_numpy(np.float64)
    size = rows["size"].to_numpy(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = np.where((seconds > 0) & (size > 0), size * 8 / seconds / 1_000, np.nan)
    return pd.DataFrame(
        {
            "track_id": rows["track_id"].to_numpy(np.int64),
            "seconds": np.where(seconds > 0, seconds, np.nan),
            "bit_rate": rate,
            **{name: rows[name].to_numpy(np.float64) for name in SOUND_FIELDS},
        }
    )


def conditions_of(data: LabelledFeatures) -> pd.DataFrame:
    """Say what is known of each usable track beside its genre.

    Returns
    -------
    pd.DataFrame
        `track_id`, what `audio_of` says, `windows` (whole ones of its row), `artist_tracks` (of
        its artist in the catalogue); NaN where not known.
    """
    rows = current_rows(data.features.rows())
    heard = audio_of(rows).assign(windows=rows["windows"].to_numpy(np.float64))
    artists = data.tracks["artist_id"]
    counts = artists.map(artists.value_counts()).astype("Float64")
    known = counts.to_numpy(np.float64, na_value=np.nan)
    owned = pd.DataFrame({"track_id": data.tracks["track_id"], "artist_tracks": known})
    return heard[heard["track_id"].isin(data.rows["track_id"])].merge(owned, on="track_id")
