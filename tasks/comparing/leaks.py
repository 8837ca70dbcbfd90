"""What a split's tracks share with those that a model was trained on."""

from __future__ import annotations

import pandas as pd

from genre_model.data.sharing.components import components
from genre_model.judging.leaks import Leaks, find_leaks
from storage.array.tables import current_rows
from tasks.comparing.same_audio import windows_hash
from tasks.labelled import LabelledFeatures


def leaks_of(data: LabelledFeatures, *, split: str) -> Leaks:
    """Find what the usable tracks of a split share with the training tracks.

    Of the training split itself everything is known, so that its own tracks are not looked at.
    """
    shareable = _shareable(data)
    judged = shareable[(shareable["split"] == split) & (split != "training")]
    return find_leaks(judged, shareable[shareable["split"] == "training"])


def _shareable(data: LabelledFeatures) -> pd.DataFrame:
    """Say of each usable track whose it is, what it hangs together with, and how it sounds."""
    tracks = data.tracks
    about = pd.DataFrame(
        {
            "track_id": tracks["track_id"],
            "path": tracks["path"],
            "artist_name": tracks["artist"],
            "artist": tracks["artist_id"],
            "component": components(tracks),
        }
    )
    rows = current_rows(data.features.rows())
    audio = windows_hash(rows)
    heard = pd.DataFrame({"track_id": rows["track_id"], "audio": audio})[audio != ""]
    usable = data.rows[["track_id", "split"]]
    return usable.merge(about, on="track_id").merge(heard, on="track_id", how="left")
