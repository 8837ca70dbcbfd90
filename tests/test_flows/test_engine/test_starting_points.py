"""What a run that starts later goes on with."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from flows.engine.starting_points import STAGES, catalogue_to_train_on, model_to_evaluate
from storage.array.layout import create_store
from storage.catalogues import write_catalogue
from storage.errors import NotFound
from storage.places.location import Location


@pytest.fixture
def store(tmp_path: Path) -> Location:
    """Make a store of two catalogues and three models, the last of them not whole."""
    root = create_store(tmp_path / "store")
    for name, data in (("fma-1", "/music"), ("demo-2", "/demo")):
        write_catalogue(root, name, pd.DataFrame({"track_id": [1]}), attributes={"data": data})
    for number, network in enumerate(("notebook", "default", "notebook")):
        folder = tmp_path / "store" / "models" / f"{network}-{number}"
        folder.mkdir(parents=True)
        params = {"id": folder.name, "network": network, "seed": 0, "trained": f"{number}"}
        features = {"features": {"name": "default"}}
        (folder / "params.json").write_text(json.dumps({**params, **features}))
        if number < 2:
            (folder / "model.keras").write_bytes(b"-")
    return root


def test_training_takes_the_newest_catalogue_or_that_of_the_folder(store: Location) -> None:
    assert catalogue_to_train_on(store, catalogue=None, data="demo") == "demo-2"
    assert catalogue_to_train_on(store, catalogue=None, data="/music") == "fma-1"
    assert catalogue_to_train_on(store, catalogue="fma-1", data="demo") == "fma-1"
    with pytest.raises(NotFound, match=r"no catalogue of /elsewhere \(there: demo-2, fma-1\)"):
        catalogue_to_train_on(store, catalogue=None, data="/elsewhere")
    with pytest.raises(NotFound, match=r"no catalogue 'fma-9'.*there: demo-2, fma-1"):
        catalogue_to_train_on(store, catalogue="fma-9", data="demo")


def test_evaluation_takes_the_newest_whole_model_that_fits(store: Location) -> None:
    def chosen(model: str | None = None, network: str = "default", seed: int = 0) -> str:
        return model_to_evaluate(store, model=model, preset="default", network=network, seed=seed)

    assert chosen() == "default-1"
    assert chosen(network="notebook") == "notebook-0"
    assert chosen(model="notebook-0") == "notebook-0"
    with pytest.raises(NotFound, match="no model of seed 4"):
        chosen(seed=4)
    with pytest.raises(NotFound, match="run `genre train` first"):
        chosen(model="notebook-2")


def test_the_stages_are_those_of_the_command_line() -> None:
    from flows.command.cli import STAGES as OFFERED

    assert OFFERED == STAGES
