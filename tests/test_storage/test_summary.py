"""What `genre status` tells of a store."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from feature_runs import NAME, library, open_array, run

from storage.claims import Claim
from storage.errors import UnknownFormat
from storage.places.address import parse_location
from storage.places.location import Location
from storage.predictions import PREDICTION_COLUMNS
from storage.store import Store


def test_an_empty_store(place: Location) -> None:
    summary = Store.create(place).status().to_dict()
    assert summary["store"] == place.uri
    assert summary["champion"] is None
    assert all(not summary[name] for name in ("catalogues", "features", "models", "claims"))


def test_a_full_one(place: Location, tmp_path: Path) -> None:
    store = Store.create(place)
    frame = pd.DataFrame({"track_id": range(100), "genre": "Rock"})
    store.catalogues.write("fma-01234567", frame, attributes={"data_set": "fma"})
    features = open_array(store)
    run(features, library(100))
    run(features, library(200), stop_after=1)
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "model.keras").write_bytes(b"x")
    models = store.models
    models.publish(tmp_path / "model", "seed-1")
    models.set_champion_if_none("seed-1")
    music = parse_location(str(tmp_path / "music"))
    predictions = store.predictions.table(model="seed-1", folder=music)
    predictions.write(pd.DataFrame({name: ["x", "y"] for name in PREDICTION_COLUMNS}))
    with Claim(store.location, "features/fma"):
        summary = store.status()
    (told,) = summary.predictions
    assert (told.model, told.files) == ("seed-1", 2)
    assert told.table.startswith("music-")
    assert [(found.id, found.tracks) for found in summary.catalogues] == [("fma-01234567", 100)]
    array = summary.features[0]
    assert (array.key, array.data_set, array.preset) == (f"fma/{NAME}", "fma", "default")
    assert (array.shards, array.open_shards, array.is_finalised) == (4, 1, False)
    assert sum(array.tracks.values()) == 164
    assert array.windows == 3 * array.tracks["ok"]
    assert array.bytes > 0
    assert [(model.id, model.is_champion) for model in summary.models] == [("seed-1", True)]
    assert summary.claims[0].startswith("features/fma is held by process")
    json.dumps(summary.to_dict())
    run(features, library(200))
    assert store.status().features[0].is_finalised


def test_what_cannot_be_read_is_named_and_stops_nothing(place: Location) -> None:
    store = Store.create(place)
    run(open_array(store), library(20))
    frame = pd.DataFrame({"track_id": [1], "genre": "Rock"})
    store.catalogues.write("fma-1", frame, attributes={"data_set": "fma"})
    (store.catalogues.place("fma-2")).write_bytes(b"damaged")
    group = json.loads((store.features.place("fma", NAME) / "zarr.json").read_bytes())
    for name, attributes in (("old-1", {}), ("new-1", {**group["attributes"], "format": 2})):
        other = store.features.place("demo", name) / "zarr.json"
        other.write_bytes(json.dumps({**group, "attributes": attributes}).encode())
    (store.features.place("demo", "lost-1") / "zarr.json").write_bytes(b"{")
    for model, metrics in (("a-1", b"{}"), ("b-1", b"["), ("c-1", b"")):
        (store.models.location(model) / "model.keras").write_bytes(b"-")
        if metrics:
            (store.models.evaluation(model, "test") / "metrics.json").write_bytes(metrics)
    (store.location / "champion.json").write_bytes(b"[]")
    (store.predictions.location / "a-1" / "x.parquet").write_bytes(b"-")
    summary = store.status()
    assert [each.key for each in summary.features] == [f"fma/{NAME}"]
    assert [each.id for each in summary.catalogues] == ["fma-1"]
    assert [(each.id, each.metrics) for each in summary.models] == [
        *(("a-1", None), ("b-1", None), ("c-1", None))
    ]
    assert (summary.champion, summary.predictions) == (None, ())
    said = {each.key: each.detail for each in summary.unreadable}
    assert set(said) == {
        "champion.json",
        "catalogues/fma-2",
        "demo/old-1",
        "demo/new-1",
        "demo/lost-1",
        "models/a-1",
        "models/b-1",
        "predictions/a-1/x.parquet",
    }
    assert "does not say what its array is" in said["demo/old-1"]
    assert "says format 2, this version knows 1" in said["demo/new-1"]
    assert all(place.uri in detail and "\n" not in detail for detail in said.values())
    json.dumps(summary.to_dict())
    with pytest.raises(UnknownFormat, match="delete that folder to have its features made anew"):
        store.features.open(data_set="demo", name="new-1")


@pytest.mark.parametrize("content", [b"{", b"", None])
def test_a_description_that_is_not_there_is_marked(place: Location, content: bytes | None) -> None:
    Store.create(place)
    (place / "catalogues" / "of-somebody.txt").write_bytes(b"-")
    (place / "store.json").delete()
    if content is not None:
        (place / "store.json").write_bytes(content)
    (lost,) = Store.look(place).status().unreadable
    assert (lost.key, lost.path) == ("store.json", (place / "store.json").uri)


def test_a_name_that_leads_elsewhere_is_told_and_stops_nothing(place: Location) -> None:
    store = Store.create(place)
    run(open_array(store), library(20))
    name = "\x1b[31mred"
    (store.models.folder / name / "model.keras").write_bytes(b"-")
    (store.features.location / "fma" / name / "zarr.json").write_bytes(b"{}")
    summary = store.status()
    assert [each.key for each in summary.features] == [f"fma/{NAME}"]
    assert summary.models == ()
    assert {each.key for each in summary.unreadable} == {f"models/{name}", f"fma/{name}"}
    told = {key for key, _ in store.verify()}
    assert told == {f"fma/{name}"}
    assert store.features.find("default").name == NAME
