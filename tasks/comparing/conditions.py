"""How the audio of tracks was made, and what of it is heard: what mistakes may hang on."""

from __future__ import annotations

import numpy as np
import pandas as pd

from storage.array.manifests import SOUND_FIELDS
from storage.array.tables import current_rows
from tasks.labelled import LabelledFeatures

HEARD = tuple(name for name in SOUND_FIELDS if name != "file_s")
"""What rows know beside lengths, and is told as it is."""
# Of a file that is longer than a clip this much is decoded.
_EXCERPT_S = 30.0


def audio_of(rows: pd.DataFrame) -> pd.DataFrame:
    """Say what the rows of an array know of their audio.

    Parameters
    ----------
    rows : pd.DataFrame
        Of `current_rows`.

    Returns
    -------
    pd.DataFrame
        `track_id`, `seconds` that can be played of the file, `bit_rate` [kbit/s, the file's
        mean], `sample_rate` [Hz], `channels`, `level_db` [dBFS]; NaN where not known.
    """
    seconds = _seconds_of_files(rows)
    size = rows["size"].to_numpy(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = np.where((seconds > 0) & (size > 0), size * 8 / seconds / 1_000, np.nan)
    return pd.DataFrame(
        {
            "track_id": rows["track_id"].to_numpy(np.int64),
            "seconds": np.where(seconds > 0, seconds, np.nan),
            "bit_rate": rate,
            **{name: rows[name].to_numpy(np.float64) for name in HEARD},
        }
    )


def _seconds_of_files(rows: pd.DataFrame) -> np.ndarray:
    """Return the files' lengths; rows of before they were kept know but those of whole files."""
    decoded = rows["duration_s"].to_numpy(np.float64)
    is_excerpt = np.isclose(decoded, _EXCERPT_S, rtol=0, atol=0.01)
    known = rows["file_s"].to_numpy(np.float64)
    return np.where(np.isnan(known), np.where(is_excerpt, np.nan, decoded), known)


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
