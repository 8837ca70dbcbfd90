"""What a split's tracks share with those that a model was trained on."""

from __future__ import annotations

import pandas as pd

from genre_model.data.sharing.components import components
from genre_model.judging.leaks import Leaks, find_leaks
from genre_model.signal.status import Status
from storage.array.tables import current_rows
from tasks.labelled import LabelledFeatures


def leaks_of(data: LabelledFeatures, *, split: str) -> Leaks:
    """Find what the usable tracks of a split share with the training tracks.

    Of the training split itself everything is known, so that its own tracks are not looked at.
    """
    shareable = _shareable(data)
    judged = shareable[(shareable["split"] == split) & (split != "training")]
    return find_leaks(judged, shareable[shareable["split"] == "training"])


def _shareable(data: LabelledFeatures) -> pd.DataFrame:
    """Say of each usable track whose it is, what it hangs together with, and what it sounds like.

    Equal windows of one frontend compress to equal bytes, known by size and crc32c. Near-silent
    clips, whose windows are at the floor, are alike without being the same.
    """
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
    loud = rows[rows["status"].isin([Status.OK, Status.PARTIAL]) & (rows["checksum"] != "")]
    audio = loud["stored"].astype(str) + "-" + loud["checksum"]
    heard = pd.DataFrame({"track_id": loud["track_id"], "audio": audio})
    usable = data.rows[["track_id", "split"]]
    return usable.merge(about, on="track_id").merge(heard, on="track_id", how="left")
