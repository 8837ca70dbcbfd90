"""What was heard of disturbed clips is put to its own track's genre and artist."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from genre_model.disturbing.disturbances import PLAIN
from genre_model.errors import CatalogueError
from genre_model.learning.batches import RowIndex
from tasks.comparing.robustness import clips_of, join_heard, robustness_of
from tasks.worker.disturbed import DisturbedClip

LABELS = {30: 1, 10: 0, 20: 1}
"""Track -> genre, in the order of the rows."""


class Data:
    """What of `LabelledFeatures` is used here."""

    def __init__(self, folder: Path) -> None:
        self.catalogue_id = "fma-1"
        self.tracks = pd.DataFrame({"track_id": [10, 20, 30, 40]}).assign(
            path=lambda table: table["track_id"].map("{}.mp3".format)
        )
        self.tracks.attrs["data"] = str(folder)

    def split(self, split: str) -> RowIndex:
        assert split == "test"
        return RowIndex(
            rows=np.arange(3),
            labels=np.array([*LABELS.values()], np.int32),
            windows=np.full(3, 2),
            track_ids=np.array([*LABELS], np.int64),
        )

    def artists_of(self, track_ids: np.ndarray) -> np.ndarray:
        return -1 - track_ids


def says(*genres: int) -> np.ndarray:
    """Make windows of which each says a genre."""
    return np.eye(2, dtype=np.float32)[list(genres)]


@pytest.fixture
def data(tmp_path: Path) -> Any:
    return Data(tmp_path)


def test_the_clips_are_those_of_the_split_by_their_paths(data: Any, tmp_path: Path) -> None:
    found = clips_of(data, split="test")
    assert found.data.uri == str(tmp_path)
    assert found.tracks == ((10, "10.mp3"), (20, "20.mp3"), (30, "30.mp3"))
    (tmp_path / "tracks.csv").write_text("a table")
    data.tracks.attrs["data"] = str(tmp_path / "tracks.csv")
    assert clips_of(data, split="test").data.uri == str(tmp_path)


def test_every_track_is_judged_by_its_own_genre(data: Any) -> None:
    heard = [
        DisturbedClip(track_id=30, probabilities={PLAIN: says(1, 1), "noise": says(0)}),
        DisturbedClip(track_id=20, detail="20.mp3 is undecodable: no"),
        DisturbedClip(track_id=10, probabilities={PLAIN: says(0, 0), "noise": says(0, 0)}),
    ]
    joined, unheard = join_heard(heard, data, split="test")
    assert unheard == ["20.mp3 is undecodable: no"]
    assert list(joined) == [PLAIN, "noise"]
    assert joined[PLAIN].track_ids.tolist() == [10, 10, 30, 30]
    assert joined[PLAIN].labels.tolist() == [0, 0, 1, 1]
    assert joined["noise"].track_ids.tolist() == [10, 10, 30]
    plain, noise = robustness_of(joined, data, rule="mean")
    assert (plain.track_accuracy, plain.tracks) == (1.0, 2)
    assert (noise.track_accuracy, noise.difference) == (0.5, -0.5)
    assert robustness_of(None, data, rule="mean") == ()


def test_where_nothing_is_heard_the_sentence_says_why_and_what_helps(data: Any) -> None:
    heard = [DisturbedClip(track_id=each, detail=f"{each}.mp3: gone") for each in LABELS]
    with pytest.raises(CatalogueError, match=r"none of the 3 clips .* 10\.mp3: gone; have the da"):
        join_heard(heard, data, split="test")
