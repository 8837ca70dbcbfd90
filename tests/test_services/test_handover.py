"""`full-run` on the pool `cpu` has the pool `gpu` train, and shares its fate."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from deployment_runs import ENDED, Run, create_run, marked_worker, until
from fault_processes import Started
from prefect_server import Server
from tiny_fma import write_tiny_fma

pytestmark = pytest.mark.services

TRAIN_ON = "train-model/train-model"
SMALL = {"network": "notebook", "epochs": 2, "workers": 1, "train_on": TRAIN_ON}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with a data set, where all runs keep their store."""
    folder = tmp_path_factory.mktemp("handover")
    write_tiny_fma(folder / "fma")
    return folder


def child_of(run: Run) -> Run:
    """Wait until the run has handed training over, and return that run."""
    asked = {"flow_runs": {"parent_flow_run_id": {"any_": [run.id]}}, "flows": TRAINING}
    until(
        lambda: run.server.post("flow_runs/filter", asked) or run.state in ENDED,
        what="a child",
    )
    (found,) = run.server.post("flow_runs/filter", asked)
    return Run(run.server, found["id"])


TRAINING = {"name": {"any_": ["train-model"]}}


def owner(run: Run, *workers: Started) -> list[int]:
    """Tell which of the workers the process of a run belongs to, once it has one."""
    until(lambda: bool(run.facts["infrastructure_pid"]), what="a process")
    pid = int(str(run.facts["infrastructure_pid"]).rsplit(":", 1)[-1])
    return [
        place
        for place, worker in enumerate(workers)
        if pid in {process.pid for process in worker.descendants()}
    ]


def test_training_runs_in_the_gpu_pools_worker(deployed: Server, place: Path) -> None:
    run = create_run(deployed, "full-run", data=place / "fma", store=place / "store", **SMALL)
    with (
        marked_worker(deployed, "cpu", folder=place / "cpu") as cpu,
        marked_worker(deployed, "gpu", folder=place / "gpu") as gpu,
    ):
        child = child_of(run)
        assert owner(child, cpu, gpu) == [1]
        assert owner(run, cpu, gpu) == [0]
        run.completed()
    assert child.facts["work_pool_name"] == "gpu"
    assert child.state == "COMPLETED"
    assert any(name.startswith("train") for name in child.task_runs())
    assert "train-model/train-model run" in run.log()
    assert len(list(place.glob("store/models/*/model.keras"))) == 1
    assert list(place.glob("store/models/*/evaluation/test/metrics.json"))


def test_a_sweep_trains_in_the_gpu_pools_worker(deployed: Server, place: Path) -> None:
    swept = {"network": "notebook", "epochs": 1, "settings": {"training.batch_size": [32, 64]}}
    run = create_run(deployed, "sweep", store=place / "store", seed=7, train_on=TRAIN_ON, **swept)
    with (
        marked_worker(deployed, "cpu", folder=place / "cpu"),
        marked_worker(deployed, "gpu", folder=place / "gpu"),
    ):
        run.completed()
    asked = {"flow_runs": {"parent_flow_run_id": {"any_": [run.id]}}, "flows": TRAINING}
    children = run.server.post("flow_runs/filter", asked)
    assert [each["work_pool_name"] for each in children] == ["gpu", "gpu"]
    assert [each["state_type"] for each in children] == ["COMPLETED", "COMPLETED"]
    (table,) = place.glob("store/sweeps/*/results.parquet")
    assert pd.read_parquet(table)["status"].tolist() == ["done", "done"]
    filter_ = {"flow_runs": {"id": {"any_": [run.id]}}}
    (shown,) = [
        each for each in run.server.post("artifacts/filter", filter_) if each["key"] == "sweep"
    ]
    assert shown["description"] == "2 of 2 trainings done"
    assert shown["data"].count("training.batch_size=32") >= 2


def test_a_failed_child_fails_its_parent_with_the_reason(deployed: Server, place: Path) -> None:
    broken = place / "broken" / "tensorflow"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("raise ImportError('no TensorFlow on this machine')\n")
    run = create_run(
        deployed, "full-run", store=place / "store", start_at="training", seed=1, **SMALL
    )
    with (
        marked_worker(deployed, "cpu", folder=place / "cpu"),
        marked_worker(deployed, "gpu", folder=place / "gpu", PYTHONPATH=str(broken.parent)),
    ):
        facts = run.ended()
    assert facts["state_type"] == "FAILED"
    said = facts["state"]["message"]
    assert "train-model/train-model run" in said
    assert "ended Failed" in said
    assert "no TensorFlow on this machine" in said


def test_a_cancelled_parent_cancels_its_child(deployed: Server, place: Path) -> None:
    run = create_run(
        deployed, "full-run", store=place / "store", start_at="training", seed=2, **SMALL
    )
    with marked_worker(deployed, "cpu", folder=place / "cpu"):
        child = child_of(run)
        until(lambda: run.state == "RUNNING", what="it waits")
        run.cancel()
        assert run.ended()["state_type"] == "CANCELLED"
        assert child.ended()["state_type"] == "CANCELLED"
