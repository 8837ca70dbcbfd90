"""A planted leak of each kind is found, named, and left out of training where that is asked for."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from labelled_rows import DATA_SET, write_rows
from learnable_rows import BANDS, FRAMES, WINDOWS

from genre_model.data.sharing.policies import under_policy
from genre_model.frontends.log_mel import LogMel
from genre_model.judging.leaks import NAMED, Leaks, find_leaks
from genre_model.recipe import TrainSpec
from storage.store import Store
from tasks.comparing.leaks import leaks_of
from tasks.labelled import LabelledFeatures, load_labelled

FEATURES = LogMel(
    name="tiny", n_mels=BANDS, windows=WINDOWS, window_frames=FRAMES, window_stride=FRAMES
)
SPLITS = ("training",) * 8 + ("validation",) * 2 + ("test",) * 6
TRACKS = len(SPLITS)
NONE = {"identical": 0, "artists": 0, "components": 0}


def catalogue() -> pd.DataFrame:
    """Make tracks that share nothing: each has an artist and an album of its own."""
    ids = 1000 + np.arange(TRACKS)
    return pd.DataFrame(
        {
            "track_id": ids,
            "path": [f"{each}.mp3" for each in ids],
            "genre": np.array(["Folk", "Rock"])[np.arange(TRACKS) % 2],
            "split": SPLITS,
            "artist_id": pd.array(ids, dtype="Int64"),
            "album_id": pd.array(ids + 500, dtype="Int64"),
            **dict.fromkeys(("artist", "title", "license"), "a text"),
        }
    )


def labelled(
    place: Path, tracks: pd.DataFrame, *, same: dict[int, int] | None = None, policy: str
) -> LabelledFeatures:
    """Write noise for each track; a track of `same` has the windows of another one."""
    store = Store.create(place / "store")
    rows = np.random.default_rng(3).normal(-40, 10, (TRACKS, WINDOWS, BANDS, FRAMES))
    for track, other in (same or {}).items():
        rows[track] = rows[other]
    write_rows(store, FEATURES, tracks, rows.astype(np.float16))
    store.catalogues.write("made-0", tracks, attributes={"data_set": DATA_SET})
    return load_labelled(store, FEATURES, split_policy=policy)


def planted() -> pd.DataFrame:
    """Plant an artist of training (track 0) in test (10), and a chain from 1 by 2 to 11."""
    tracks = catalogue()
    tracks.loc[10, "artist_id"] = tracks.loc[0, "artist_id"]
    tracks.loc[2, "artist_id"] = tracks.loc[1, "artist_id"]
    tracks.loc[11, "album_id"] = tracks.loc[2, "album_id"]
    return tracks


def test_where_nothing_is_shared_nothing_is_found(tmp_path: Path) -> None:
    found = leaks_of(labelled(tmp_path, catalogue(), policy="official"), split="test")
    assert found == Leaks(counts=NONE)


def test_a_planted_leak_of_each_kind_is_found_and_named(tmp_path: Path) -> None:
    data = labelled(tmp_path, planted(), same={12: 3, 13: 9}, policy="official")
    found = leaks_of(data, split="test")
    # 13 sounds as a validation track, which nothing was trained on
    assert found.counts == {"identical": 1, "artists": 1, "components": 2}
    named = [(each.kind, each.path, each.trained, each.others) for each in found.named]
    assert named == [
        ("identical", "1012.mp3", "1003.mp3", 0),
        ("artists", "1010.mp3", "1000.mp3", 0),
        ("components", "1010.mp3", "1000.mp3", 0),
        ("components", "1011.mp3", "1001.mp3", 1),
    ]
    assert leaks_of(data, split="validation").counts == NONE
    assert Leaks.from_dict(json.loads(json.dumps(found.to_dict()))) == found


def test_components_leaves_out_of_training_what_hangs_together(tmp_path: Path) -> None:
    official = labelled(tmp_path / "a", planted(), policy="official")
    apart = labelled(tmp_path / "b", planted(), policy="components")
    left_out = set(official.rows["track_id"]) - set(apart.rows["track_id"])
    assert left_out == {1000, 1001, 1002}
    assert (apart.counts()["test"], apart.counts()["training"]) == (6, 5)
    assert apart.digest() != official.digest()
    assert apart.refused == official.refused == {}
    assert leaks_of(apart, split="test").counts == NONE


def test_random_has_what_an_artist_made_on_both_sides_and_says_so(tmp_path: Path) -> None:
    tracks = catalogue()
    tracks["artist_id"] = pd.array([1] * TRACKS, dtype="Int64")
    data = labelled(tmp_path, tracks, policy="random")
    assert data.counts() == {"training": TRACKS - 2, "validation": 1, "test": 1}
    # every usable track has a split of its own, whatever the catalogue says
    assert dict(zip(data.rows["track_id"], data.rows["split"], strict=True)) == dict(
        zip(tracks["track_id"], under_policy(tracks, "random")["split"], strict=True)
    )
    assert leaks_of(data, split="test").counts == {"identical": 0, "artists": 1, "components": 1}
    assert any("leaky" in sentence for sentence in data.remarks(TrainSpec()))
    assert any("leaky" in sentence for sentence in data.told)
    assert labelled(tmp_path / "b", tracks, policy="official").told == ()


@pytest.mark.parametrize("column", ["artist", "component", "audio"])
def test_what_is_not_known_is_not_shared_and_the_first_are_named(column: str) -> None:
    count = NAMED + 10
    nothing = dict.fromkeys(("artist", "component", "audio"), pd.array([pd.NA] * count))
    about = {"path": "a", "artist_name": "A", **nothing}
    judged = pd.DataFrame({"track_id": np.arange(count), **about})
    trained = pd.DataFrame({"track_id": 1000 + np.arange(count), **about})
    assert set(find_leaks(judged, trained).counts.values()) == {0}
    found = find_leaks(judged.assign(**{column: 1}), trained.assign(**{column: 1}))
    assert max(found.counts.values()) == count
    assert [each.track_id for each in found.named] == list(range(NAMED))
