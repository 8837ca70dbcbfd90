"""prefect.yaml on a real server: everything registers, and a worker runs a deployment."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.error
from pathlib import Path
from typing import Any

import pytest
import yaml
from limits import COMMAND_S
from prefect_server import ROOT, Server, finished_run, worker
from tiny_fma import write_tiny_fma

pytestmark = pytest.mark.services


def test_every_deployment_is_registered_on_its_pool(deployed: Server) -> None:
    found = {each["name"]: each for each in deployed.post("deployments/filter", {})}
    written = yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]
    assert set(found) == {each["name"] for each in written}
    assert found["train-model"]["work_pool_name"] == "gpu"
    assert found["build-features"]["work_pool_name"] == "cpu"
    assert found["full-run"]["schedules"][0]["schedule"]["cron"] == "0 3 * * *"
    assert all(each["enforce_parameter_schema"] for each in found.values())


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("build-features", {"max_quarantined": 7}),
        ("build-features", {"workers": 0}),
        ("build-features", {"preset": 7}),  # a name may be a backbone's, which the store knows
        ("train-model", {"seed": -1}),
        ("train-model", {"epochs": "many"}),
        ("evaluate-model", {"split": "all"}),
        ("predict-tracks", {}),  # which folder?
        ("sweep", {"seeds": 0}),
        ("sweep", {"settings": {"training.epochs": 3}}),  # values are a list
        ("full-run", {"refresh": "perhaps"}),
    ],
)
def test_a_wrong_parameter_is_refused_before_the_run_starts(
    deployed: Server, name: str, parameters: dict[str, Any]
) -> None:
    (deployment,) = [
        each for each in deployed.post("deployments/filter", {}) if each["name"] == name
    ]
    with pytest.raises(urllib.error.HTTPError) as refused:
        deployed.post(f"deployments/{deployment['id']}/create_flow_run", {"parameters": parameters})
    assert 400 <= refused.value.code < 500


def test_a_worker_runs_a_deployment(deployed: Server, tmp_path: Path) -> None:
    write_tiny_fma(tmp_path / "fma")
    parameters = {"data": str(tmp_path / "fma"), "store": str(tmp_path / "store"), "workers": 1}
    (deployment,) = [
        each for each in deployed.post("deployments/filter", {}) if each["name"] == "build-features"
    ]
    started = deployed.post(
        f"deployments/{deployment['id']}/create_flow_run", {"parameters": parameters}
    )
    with worker(deployed, "cpu", folder=tmp_path):
        run = finished_run(deployed, started["id"])
    assert run["state_type"] == "COMPLETED", run["state"]["message"]
    keys = {each["key"] for each in deployed.post("artifacts/filter", {})}
    assert keys >= {"catalogue", "features-progress", "throughput", "quarantine"}
    names = {each["name"] for each in deployed.post("task_runs/filter", {})}
    assert "shard 0" in names


def test_automations_are_applied_once_and_stay_paused(deployed: Server, tmp_path: Path) -> None:
    asked = {
        "folder": str(ROOT),
        "parameters": {"store": str(tmp_path / "store")},
        "applied": str(tmp_path / "prefect.yaml"),
        "webhook": None,
    }

    answer = tmp_path / "registered.json"

    def register() -> dict[str, Any]:
        done = subprocess.run(
            [sys.executable, "-m", "flows.up.registration", str(answer)],
            input=json.dumps(asked),
            env=deployed.env,
            capture_output=True,
            text=True,
            timeout=COMMAND_S,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(answer.read_text())

    first = register()
    known = {each["name"]: each for each in deployed.post("automations/filter", {})}
    assert set(first["automations"]) < set(known)
    assert known["genre-run-late"]["actions"] == [{"type": "do-nothing"}]
    deployed.prefect("automation", "pause", "genre-run-late")
    assert register() == first
    again = {each["name"]: each for each in deployed.post("automations/filter", {})}
    assert len(deployed.post("automations/filter", {})) == len(known)
    assert again["genre-run-late"]["enabled"] is False
    assert again["genre-run-failed"]["enabled"] is True
