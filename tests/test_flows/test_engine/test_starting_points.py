"""What a run that starts later goes on with."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from flows.engine.starting_points import (
    NO_USE,
    catalogue_to_train_on,
    model_to_evaluate,
    refuse_useless,
)
from flows.errors import UsageError
from flows.options import STAGES
from genre_model.data.folder import CatalogueOptions
from storage.errors import NotFound
from storage.places.address import parse_location
from storage.places.location import Location
from storage.store import Store
from tasks.catalogue import find_catalogue, store_catalogue


@pytest.fixture
def store(tmp_path: Path) -> Location:
    """Make a store of two catalogues and three models, the last of them not whole."""
    root = Store.create(tmp_path / "store")
    for name, data in (("fma-1", "/music"), ("demo-2", "/demo")):
        root.catalogues.write(name, pd.DataFrame({"track_id": [1]}), attributes={"data": data})
    for number, network in enumerate(("notebook", "default", "notebook")):
        folder = tmp_path / "store" / "models" / f"{network}-{number}"
        folder.mkdir(parents=True)
        params = {"id": folder.name, "network": network, "seed": 0, "trained": f"{number}"}
        features = {"features": {"name": "default"}}
        (folder / "params.json").write_text(json.dumps({**params, **features}))
        if number < 2:
            (folder / "model.keras").write_bytes(b"-")
    return root


def test_training_takes_the_newest_catalogue_or_that_of_the_folder(
    store: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENRE_DEMO", "/demo")
    assert catalogue_to_train_on(store, catalogue=None, data=None) == "demo-2"
    assert catalogue_to_train_on(store, catalogue=None, data="/music") == "fma-1"
    assert catalogue_to_train_on(store, catalogue="fma-1", data="demo") == "fma-1"
    with pytest.raises(NotFound, match=r"no catalogue of /elsewhere \(there: demo-2, fma-1\)"):
        catalogue_to_train_on(store, catalogue=None, data="/elsewhere")
    with pytest.raises(NotFound, match=r"no catalogue 'fma-9'.*there: demo-2, fma-1"):
        catalogue_to_train_on(store, catalogue="fma-9", data=None)


def test_the_subset_is_heard(store: Store) -> None:
    for name, subset in (("fma-3", "medium"), ("fma-4", "small")):
        about = {"data": "/music", "subset": subset}
        store.catalogues.write(name, pd.DataFrame({"track_id": [3]}), attributes=about)
    assert catalogue_to_train_on(store, catalogue=None, data=None) == "fma-4"
    assert (
        catalogue_to_train_on(
            store, catalogue=None, data=None, wanted=CatalogueOptions(subset="medium")
        )
        == "fma-3"
    )
    assert (
        catalogue_to_train_on(
            store, catalogue=None, data="/music", wanted=CatalogueOptions(subset="medium")
        )
        == "fma-3"
    )
    for data, where in ((None, r" \(there"), ("/music", r" of /music \(there")):
        with pytest.raises(NotFound, match=f"no catalogue of the subset 'large'{where}"):
            catalogue_to_train_on(
                store, catalogue=None, data=data, wanted=CatalogueOptions(subset="large")
            )


def test_a_folder_is_known_by_what_it_holds_wherever_its_catalogue_was_written_from(
    store: Store, tmp_path: Path
) -> None:
    def write(folder: str, *songs: str) -> str:
        for song in songs:
            path = tmp_path / folder / "music" / song
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"-")
        place = parse_location(tmp_path / folder / "music")
        return store_catalogue.fn(store, find_catalogue.fn(place))

    first = write("first", "rock/a.mp3", "pop/b.mp3")
    assert write("copy", "rock/a.mp3", "pop/b.mp3") == first
    longer = write("first", "pop/c.mp3")
    copy, original = (str(tmp_path / name / "music") for name in ("copy", "first"))
    assert catalogue_to_train_on(store, catalogue=None, data=copy) == first
    assert catalogue_to_train_on(store, catalogue=None, data=original) == longer
    (tmp_path / "first" / "music" / "pop" / "c.mp3").unlink()
    assert catalogue_to_train_on(store, catalogue=None, data=original) == first, "as it is now"
    shutil.rmtree(original)
    assert catalogue_to_train_on(store, catalogue=None, data=original) == longer, "the last known"


def test_the_built_in_data_said_aloud_is_meant(
    store: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENRE_DEMO", "/demo")
    store.catalogues.write("fma-3", pd.DataFrame({"track_id": [3]}), attributes={"data": "/more"})
    assert catalogue_to_train_on(store, catalogue=None, data=None) == "fma-3"
    assert catalogue_to_train_on(store, catalogue=None, data="demo") == "demo-2"
    monkeypatch.setenv("GENRE_DEMO", "/another")
    with pytest.raises(NotFound, match="no catalogue of /another"):
        catalogue_to_train_on(store, catalogue=None, data="demo")


def test_evaluation_takes_the_newest_whole_model_that_fits(store: Location) -> None:
    def chosen(
        model: str | None = None,
        preset: str | None = None,
        network: str | None = None,
        seed: int | None = None,
    ) -> str:
        return model_to_evaluate(store, model=model, preset=preset, network=network, seed=seed)

    assert chosen() == "default-1"
    assert chosen(preset="default", seed=0) == "default-1"
    assert chosen(network="notebook") == "notebook-0"
    assert chosen(model="notebook-0") == "notebook-0"
    with pytest.raises(NotFound, match="no model of seed 4"):
        chosen(seed=4)
    with pytest.raises(NotFound, match="run `genre train` first"):
        chosen(model="notebook-2")


def test_a_default_said_aloud_is_meant(store: Location, tmp_path: Path) -> None:
    for file in tmp_path.glob("store/models/default-1/*"):
        file.unlink()

    def chosen(**said: str | int) -> str:
        none = {"model": None, "preset": None, "network": None, "seed": None}
        return model_to_evaluate(store, **{**none, **said})

    assert chosen() == "notebook-0"
    for said in ({"network": "default"}, {"model": "notebook-0", "network": "default"}):
        with pytest.raises(NotFound, match="no model of network 'default'"):
            chosen(**said)


def test_what_has_no_use_at_a_stage_is_refused() -> None:
    assert set(NO_USE) == set(STAGES)
    for stage in STAGES:
        refuse_useless(stage, ["store", "refresh", "preset", "network", "seed"])
    refuse_useless("training", ["data", "catalogue", "epochs"])
    with pytest.raises(UsageError, match="--catalogue has no use with --start-at evaluation"):
        refuse_useless("evaluation", ["model", "catalogue"])
    with pytest.raises(UsageError, match="--workers and --max-quarantined have no use"):
        refuse_useless("training", ["workers", "max_quarantined"])
    with pytest.raises(UsageError, match="--subset has no use with --start-at evaluation"):
        refuse_useless("evaluation", ["subset"])


def test_what_has_no_use_is_named_as_the_flow_names_it() -> None:
    import inspect

    from flows.full_run import full_run

    assert set().union(*NO_USE.values()) <= set(inspect.signature(full_run.fn).parameters)
