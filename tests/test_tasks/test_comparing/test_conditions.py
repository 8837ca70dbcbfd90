"""What is known of a track beside its genre is that of its own row and artist."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from learnable_rows import WINDOWS
from test_leaks import catalogue, labelled

from tasks.comparing.conditions import conditions_of


def test_each_track_has_its_own_conditions(tmp_path: Path) -> None:
    tracks = catalogue()
    tracks.loc[1:3, "artist_id"] = 7
    tracks.loc[4, "artist_id"] = None
    found = conditions_of(labelled(tmp_path, tracks, policy="official")).set_index("track_id")
    assert list(found.index) == list(tracks["track_id"])
    assert (found["windows"] == WINDOWS).all()
    assert found["artist_tracks"].tolist()[:4] == [1, 3, 3, 3]
    assert np.isnan(found.loc[1004, "artist_tracks"])
    # the rows of this test say nothing of their audio's length
    assert found[["bit_rate", "seconds"]].isna().all(axis=None)
