"""What is known of a track beside its genre is that of its own row and artist."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from learnable_rows import WINDOWS
from test_leaks import catalogue, labelled

from tasks.comparing.conditions import audio_of, conditions_of


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
    assert found[["bit_rate", "seconds", "level_db"]].isna().all(axis=None)


def test_what_rows_know_of_their_audio_is_told() -> None:
    rows = pd.DataFrame(
        {
            "track_id": [4, 5],
            "duration_s": [30.0, 0.0],
            "file_s": [240.0, np.nan],
            "size": [7_680_000, -1],
            "sample_rate": [48_000, np.nan],
            "channels": [2, np.nan],
            "level_db": [-12.5, np.nan],
        }
    )
    found = audio_of(rows).set_index("track_id")
    assert dict(found.loc[4]) == {
        "seconds": 240,
        "bit_rate": 256,
        "sample_rate": 48_000,
        "channels": 2,
        "level_db": -12.5,
    }
    assert found.loc[5].isna().all()


def test_a_row_of_before_knows_the_length_of_a_file_that_was_decoded_whole() -> None:
    unknown = dict.fromkeys(("sample_rate", "channels", "level_db", "file_s"), np.nan)
    rows = pd.DataFrame([{"track_id": 1, "duration_s": 12.0, "size": 192_000, **unknown}])
    excerpt = pd.DataFrame([{"track_id": 2, "duration_s": 30.0, "size": 192_000, **unknown}])
    found = audio_of(pd.concat([rows, excerpt])).set_index("track_id")
    assert found["seconds"].tolist()[0] == 12
    assert found["bit_rate"].tolist()[0] == 128
    assert found.loc[2, ["seconds", "bit_rate"]].isna().all()
