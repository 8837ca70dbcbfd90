"""A sweep that is killed goes on with the same command, and comes to the same models."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
from fault_genre import Genre
from fault_processes import nothing_left, wait_until
from fault_results import weights
from fault_stores import temporary_files
from tiny_fma import write_tiny_fma

pytestmark = pytest.mark.faults

SWEEP = [
    *("sweep", "--preset", "mfcc", "--network", "mlp", "--epochs", "2", "--seeds", "2"),
    *("--set", "training.learning_rate=1e-3,1e-2", "--set", "training.batch_size=16,32"),
]
"""2 × 2 × 2 trainings."""
DONE_BEFORE = 3


@pytest.fixture(scope="module")
def features(prefect_api: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a store with features of 28 clips."""
    folder = tmp_path_factory.mktemp("sweep")
    write_tiny_fma(folder / "fma")
    genre = Genre(folder, {"PREFECT_API_URL": prefect_api})
    given = ["--data", folder / "fma", "--store", folder / "store", "--preset", "mfcc"]
    genre("features", *given, "--workers", "1")
    return folder / "store"


def table(store: Path) -> pd.DataFrame:
    (path,) = store.glob("sweeps/*/results.parquet")
    return pd.read_parquet(path)


def is_killed_now(store: Path) -> bool:
    if not list(store.glob("sweeps/*/results.parquet")):
        return False
    return int((table(store)["status"] == "done").sum()) >= DONE_BEFORE


def models(store: Path) -> dict[str, dict[str, bytes]]:
    return {path.parent.name: weights(path) for path in store.glob("models/*/model.keras")}


def test_a_killed_sweep_is_finished_by_the_same_command(
    features: Path, genre: Genre, tmp_path: Path
) -> None:
    alone = shutil.copytree(features, tmp_path / "alone")
    killed = shutil.copytree(features, tmp_path / "killed")
    expected = genre(*SWEEP, "--store", alone)
    assert (len(expected["trainings"]), expected["reused"]) == (8, 0)
    with nothing_left(genre.start(*SWEEP, "--store", killed)) as run:
        wait_until(lambda: is_killed_now(killed), every_s=0.1, what="three trainings are done")
        run.kill()
    left = table(killed)
    assert DONE_BEFORE <= (left["status"] == "done").sum() < len(left) == 8
    (told,) = genre("status", "--store", killed)["sweeps"]
    assert (told["id"], told["trainings"]) == (expected["sweep"], 8)
    before = {path: path.stat().st_mtime_ns for path in killed.glob("models/*/model.keras")}
    assert len(before) >= DONE_BEFORE
    found = genre(*SWEEP, "--store", killed)
    assert found["reused"] == len(before)
    assert {path: path.stat().st_mtime_ns for path in before} == before
    for name in ("sweep", "trainings", "recipes", "best"):
        assert found[name] == expected[name], name
    assert models(killed) == models(alone)
    pd.testing.assert_frame_equal(table(killed), table(alone))
    assert genre("status", "--store", killed, "--verify")["problems"] == []
    assert temporary_files(killed) == []
    assert not list(killed.glob("models/*/evaluation/test")), "the test split was read"


def test_the_test_split_is_read_for_the_best_alone(
    features: Path, genre: Genre, tmp_path: Path
) -> None:
    store = shutil.copytree(features, tmp_path / "store")
    given = ["--network", "mlp", "--epochs", "2", "--set", "training.learning_rate=1e-5,1e-2"]
    found = genre("sweep", "--store", store, "--preset", "mfcc", *given, "--evaluate-best")
    assert found["evaluation"]["model"] == found["best"]
    assert found["evaluation"]["split"] == "test"
    (metrics,) = store.glob("models/*/evaluation/test/metrics.json")
    assert metrics.parents[2].name == found["best"]
    assert json.loads(metrics.read_text())["readings"] == 1
    again = genre("sweep", "--store", store, "--preset", "mfcc", *given, "--evaluate-best")
    assert (again["reused"], again["evaluation"]["readings"]) == (2, 1)
