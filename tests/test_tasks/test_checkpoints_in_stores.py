"""A training that was cut off goes on where it was, on a folder as in a bucket."""

from __future__ import annotations

import errno
import itertools
import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from learnable_rows import BANDS, FRAMES, GENRES, WINDOWS, learnable_rows
from s3_proxy import Proxy

from genre_model.frontends.log_mel import LogMel
from genre_model.recipe import ModelSpec, TrainSpec
from storage.errors import Full
from storage.places.bucket import Bucket
from storage.places.location import Location
from storage.store import Store
from tasks.labelled import LabelledFeatures
from tasks.models import ModelFacts
from tasks.training import identify_model, read_history, train_network

pytestmark = pytest.mark.whole

FEATURES = LogMel(
    name="tiny", n_mels=BANDS, windows=WINDOWS, window_frames=FRAMES, window_stride=FRAMES
)
SPEC = TrainSpec(epochs=3, batch_size=32, patience=10, learning_rate=3e-3, pooled_shards=2)
TIMES = ("seconds", "stall_share", "windows_per_second")
SHARD = 64


class CutOffError(Exception):
    """Stands for whatever ends a training early."""


@dataclass(frozen=True)
class Shards:
    """Features in memory, as far as training asks for them."""

    values: np.ndarray
    data_set: str = "made"
    rows_per_shard: int = SHARD

    def read_shard(self, shard: int) -> np.ndarray:
        return self.values[shard * SHARD : (shard + 1) * SHARD]

    def rows(self) -> pd.DataFrame:
        places = np.arange(len(self.values))
        told = {"row": places, "track_id": 1000 + places, "stored": 1, "checksum": ""}
        return pd.DataFrame({**told, "status": "ok"})


@pytest.fixture(scope="module")
def data() -> LabelledFeatures:
    rows, labels = learnable_rows(3 * SHARD, seed=3)
    places = np.arange(len(rows))
    table = pd.DataFrame(
        {
            "row": places,
            "track_id": 1000 + places,
            "windows": WINDOWS,
            "genre": [GENRES[label] for label in labels],
            "label": labels,
            "split": np.where(places < 2 * SHARD, "training", "validation"),
            "sha256": "",
            "path": [f"{place}.mp3" for place in places],
            "title": "a title",
            "artist": "an artist",
            "license": "CC0",
            "artist_id": pd.array([pd.NA] * len(places), dtype="Int64"),
        }
    )
    return LabelledFeatures(
        features=Shards(rows),  # type: ignore[arg-type]
        spec=FEATURES,
        catalogue_id="made-0",
        tracks=table,
        rows=table,
        genres=GENRES,
        refused={},
    )


def run(
    store: Store,
    data: LabelledFeatures,
    *,
    cut_off_after: int = 0,
    say: Callable[[str], None] | None = None,
    refresh: bool = False,
) -> tuple[ModelFacts, list[int]]:
    """Train, and return the result and the epochs that were gone through."""
    epochs: list[int] = []

    def on_epoch(number: int, _most: int, _line: Mapping[str, float]) -> None:
        epochs.append(number)
        if number == cut_off_after:
            raise CutOffError

    given = {"on_epoch": on_epoch, "say": say, "refresh": refresh}
    facts, _ = train_network.fn(store, data, ModelSpec(), SPEC, **given)
    return facts, epochs


@pytest.fixture(scope="module")
def undisturbed(
    data: LabelledFeatures, tmp_path_factory: pytest.TempPathFactory
) -> tuple[pd.DataFrame, list[np.ndarray]]:
    store = Store.create(tmp_path_factory.mktemp("undisturbed") / "store")
    result, epochs = run(store, data)
    assert epochs == [1, 2, 3]
    assert 0 <= result.stall_share < 1
    return _made(store, result.model)


def _made(store: Store, model: str) -> tuple[pd.DataFrame, list[np.ndarray]]:
    import keras

    folder = store.models.fetch(model)
    network = keras.saving.load_model(folder / "model.keras", compile=False)
    return read_history(store.models, model), network.get_weights()


def assert_same(store: Store, model: str, expected: tuple[pd.DataFrame, list[np.ndarray]]) -> None:
    history, weights = _made(store, model)
    columns = [name for name in history.columns if name not in TIMES]
    pd.testing.assert_frame_equal(
        history[columns], expected[0][columns], rtol=1e-4, check_exact=False
    )
    for found, wanted in zip(weights, expected[1], strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-4)


def checkpoints(store: Store, data: LabelledFeatures) -> Location:
    model = identify_model(data, ModelSpec(), SPEC)
    return store.models.location(model) / "checkpoints"


def names(place: Location) -> list[str]:
    return [entry.name for entry in place.list(recursive=True)]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fetch models of buckets to a place of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_a_training_that_was_cut_off_goes_on(
    place: Location,
    data: LabelledFeatures,
    undisturbed: tuple[pd.DataFrame, list[np.ndarray]],
) -> None:
    store = Store.create(place)
    with pytest.raises(CutOffError):
        run(store, data, cut_off_after=2)
    kept = checkpoints(store, data)
    assert names(kept) == ["epoch-0002.zip"]
    assert epochs_for_tensorboard(store, data) == {1, 2}
    said: list[str] = []
    result, epochs = run(store, data, say=said.append)
    assert epochs == [3]
    assert f"training goes on after epoch 2, kept at {kept.uri}" in said
    assert names(kept) == ["epoch-0003.zip"]
    assert_same(store, result.model, undisturbed)
    assert epochs_for_tensorboard(store, data) == {1, 2, 3}
    assert store.models.problems(result.model) == []
    assert run(store, data) == (result, [])


@pytest.mark.slow
@pytest.mark.parametrize("where", ["store", "scratch"])
def test_a_disk_that_is_full_at_a_checkpoint_ends_in_a_sentence_and_is_gone_on_from(
    where: str,
    tmp_path: Path,
    data: LabelledFeatures,
    undisturbed: tuple[pd.DataFrame, list[np.ndarray]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = Store.create(tmp_path / "store")
    from genre_model.learning.checkpoints import encode_checkpoint

    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    write, encode, encoded = os.write, encode_checkpoint, itertools.count(1)

    def half_written(descriptor: int, content: bytes) -> int:
        if "epoch-0002" not in os.readlink(f"/proc/self/fd/{descriptor}"):  # noqa: PTH115
            return write(descriptor, content)
        write(descriptor, content[: len(content) // 2])
        raise full

    def not_encoded(*given: Any, **options: Any) -> bytes:
        if next(encoded) == 2:
            raise full
        return encode(*given, **options)

    with monkeypatch.context() as patch:
        if where == "store":
            patch.setattr(os, "write", half_written)
        else:
            patch.setattr("tasks.checkpoints.encode_checkpoint", not_encoded)
        with pytest.raises(Full, match="No space left on device; free some space"):
            run(store, data)
    place = checkpoints(store, data)
    assert names(place) == ["epoch-0001.zip"]
    assert not store.models.exists(identify_model(data, ModelSpec(), SPEC))
    result, epochs = run(store, data)
    assert epochs == [2, 3]
    assert_same(store, result.model, undisturbed)


@pytest.mark.slow
def test_what_stops_early_says_which_epoch_is_kept(tmp_path: Path, data: LabelledFeatures) -> None:
    store, said = Store.create(tmp_path / "store"), []
    spec = replace(SPEC, epochs=9, patience=1, learning_rate=1e-7)
    facts, _ = train_network.fn(store, data, ModelSpec(), spec, say=said.append)
    assert facts.epochs == facts.best_epoch + 1 < 9
    assert said[-1] == (
        f"stopped early, after epoch {facts.epochs} of 9: none of the last 1 was better; epoch "
        f"{facts.best_epoch} is kept ({facts.validation_track_accuracy:.1%} of validation tracks)"
    )


def epochs_for_tensorboard(store: Store, data: LabelledFeatures, *, below: str = "") -> set[int]:
    """Read of which epochs the event file tells, which lies where the model will lie."""
    import tensorflow as tf

    from genre_model.learning.event_log import EVENT_FILE

    model = store.models.location(identify_model(data, ModelSpec(), SPEC))
    content = (model / f"{below}logs" / EVENT_FILE).read_bytes()
    with tempfile.NamedTemporaryFile() as file:
        Path(file.name).write_bytes(content)
        records = list(tf.data.TFRecordDataset(file.name).as_numpy_iterator())
    return {tf.compat.v1.Event.FromString(each).step for each in records[1:]}


def test_refreshing_goes_on_from_nothing_but_itself(
    place: Location,
    data: LabelledFeatures,
    undisturbed: tuple[pd.DataFrame, list[np.ndarray]],
) -> None:
    store = Store.create(place)
    left = checkpoints(store, data) / "epoch-0002.zip"
    left.write_bytes(b"of the training before")
    said: list[str] = []
    with pytest.raises(CutOffError):
        run(store, data, cut_off_after=1, refresh=True, say=said.append)
    told = ("training on", "384 training windows")
    assert [each for each in said if not each.startswith(told)] == []
    again = checkpoints(store, data) / "again"
    assert names(again) == ["epoch-0001.zip", "logs/events.out.tfevents.history"]
    assert epochs_for_tensorboard(store, data, below="checkpoints/again/") == {1}
    result, epochs = run(store, data, refresh=True, say=said.append)
    assert f"training goes on after epoch 1, kept at {again.uri}" in said
    assert epochs == [2, 3]
    assert_same(store, result.model, undisturbed)
    assert left.read_bytes() == b"of the training before"
    # a finished one has left nothing to go on from
    assert names(again) == []
    with pytest.raises(CutOffError):
        run(store, data, cut_off_after=1, refresh=True)
    assert names(again) == ["epoch-0001.zip", "logs/events.out.tfevents.history"]
    # and what is published is untouched until another takes its place
    assert store.models.problems(result.model) == []
    assert run(store, data) == (result, [])


def test_a_damaged_model_that_is_trained_again_can_be_gone_on_from(
    tmp_path: Path, data: LabelledFeatures, undisturbed: tuple[pd.DataFrame, list[np.ndarray]]
) -> None:
    store = Store.create(tmp_path / "store")
    result, _ = run(store, data)
    (store.models.location(result.model) / "model.keras").write_bytes(b"cut off")
    with pytest.raises(CutOffError):
        run(store, data, cut_off_after=2)
    mended, epochs = run(store, data)
    assert epochs == [3]
    assert_same(store, mended.model, undisturbed)
    assert store.models.problems(mended.model) == []
    assert names(checkpoints(store, data)) == ["epoch-0003.zip"]


@pytest.fixture(scope="module")
def state():  # noqa: ANN201
    """Give the state after the second epoch of a network of two weights."""
    import keras

    from genre_model.learning.checkpoints import Checkpoint
    from genre_model.networks.statistics import InputStatistics

    network = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    network.compile(optimizer="adam", loss="mse")
    history = ({"epoch": 1, "loss": 2.0}, {"epoch": 2, "loss": 1.0})
    return Checkpoint(network, InputStatistics.identity(3), network.get_weights(), history)


def test_the_newest_whole_checkpoint_is_gone_on_from(place: Location, state: Any) -> None:
    from tasks.checkpoints import StoredCheckpoints

    StoredCheckpoints(place).save(state)
    whole = (place / "epoch-0002.zip").read_bytes()
    # as a kill between writing and deleting leaves them, and then a disk that turned a bit
    (place / "epoch-0001.zip").write_bytes(whole)
    (place / "epoch-10000.zip").write_bytes(whole[:900] + bytes([whole[900] ^ 1]) + whole[901:])
    said: list[str] = []
    kept = StoredCheckpoints(place, say=said.append)
    found = kept.load()
    assert found is not None
    assert found.history == state.history
    damaged, goes_on = said
    assert damaged.startswith(f"{place.uri}/epoch-10000.zip is damaged: it is no whole archive (")
    assert goes_on == f"training goes on after epoch 2, kept at {place.uri}"
    assert len(names(place)) == 3
    kept.save(replace(found, history=(*found.history, {"epoch": 3})))
    assert names(place) == ["epoch-0003.zip"]


def test_where_all_are_damaged_training_begins_again(place: Location, state: Any) -> None:
    from tasks.checkpoints import StoredCheckpoints

    (place / "epoch-0002.zip").write_bytes(b"")
    (place / "epoch-0003.zip").write_bytes(b"none")
    (place / "notes.txt").write_bytes(b"no checkpoint")
    said: list[str] = []
    kept = StoredCheckpoints(place, say=said.append)
    assert kept.load() is None
    assert [each.partition(" is damaged")[0] for each in said] == [
        f"{place.uri}/epoch-0003.zip",
        f"{place.uri}/epoch-0002.zip",
    ]
    kept.save(state)
    assert names(place) == ["epoch-0002.zip", "notes.txt"]


def test_a_checkpoint_is_one_put(bucket: Bucket, state: Any) -> None:
    from tasks.checkpoints import StoredCheckpoints

    with Proxy(str(bucket.options["endpoint_url"])) as proxy:
        options = {**bucket.options, "endpoint_url": proxy.endpoint_url}
        kept = StoredCheckpoints(Bucket(bucket.bucket, "checkpoints", options))
        assert kept.load() is None
        kept.save(state)
        kept.save(replace(state, history=(*state.history, {"epoch": 3})))
        asked = [(each.method, each.path.partition("?")[0]) for each in proxy.asked]
    place = f"/{bucket.bucket}/checkpoints"
    assert asked == [
        ("GET", f"/{bucket.bucket}"),
        ("PUT", f"{place}/epoch-0002.zip"),
        ("PUT", f"{place}/epoch-0003.zip"),
        ("DELETE", f"{place}/epoch-0002.zip"),
    ]
