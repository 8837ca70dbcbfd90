"""prefect.yaml on a real server: everything registers, and a worker runs a deployment."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "test_flows"))
from tiny_fma import write_tiny_fma

pytestmark = [pytest.mark.services, pytest.mark.timeout(600)]
ROOT = Path(__file__).parents[2]
START_LIMIT_S, RUN_LIMIT_S = 120, 240


@dataclass(frozen=True)
class Server:
    """A Prefect server of this test's own."""

    api: str
    env: dict[str, str]

    def prefect(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "prefect", "--no-prompt", *arguments],
            cwd=ROOT,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def post(self, path: str, body: dict[str, Any]) -> Any:
        request = urllib.request.Request(
            f"{self.api}/{path}",
            data=json.dumps(body).encode(),
            headers={"content-type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    api = f"http://127.0.0.1:{port}/api"
    env = {
        **os.environ,
        "PREFECT_HOME": str(tmp_path_factory.mktemp("server")),
        "PREFECT_API_URL": api,
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    }
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1"]
    process = subprocess.Popen(
        [*command, "--port", str(port)],
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        _wait_for_health(api)
        yield Server(api, env)
    finally:
        os.killpg(process.pid, 9)
        process.wait()


def _wait_for_health(api: str) -> None:
    deadline = time.monotonic() + START_LIMIT_S
    while True:
        try:
            urllib.request.urlopen(f"{api}/health", timeout=5).close()
        except (urllib.error.URLError, ConnectionError):
            assert time.monotonic() < deadline, "the server did not start"
            time.sleep(0.5)
        else:
            return


@pytest.fixture(scope="module")
def deployed(server: Server) -> Server:
    for pool in ("cpu", "gpu"):
        server.prefect("work-pool", "create", "--type", "process", pool)
    server.prefect("deploy", "--all")
    return server


def test_every_deployment_is_registered_on_its_pool(deployed: Server) -> None:
    found = {each["name"]: each for each in deployed.post("deployments/filter", {})}
    assert set(found) == {"build-features", "train-model", "evaluate-model", "full-run"}
    assert found["train-model"]["work_pool_name"] == "gpu"
    assert found["build-features"]["work_pool_name"] == "cpu"
    assert found["full-run"]["schedules"][0]["schedule"]["cron"] == "0 3 * * *"
    assert all(each["enforce_parameter_schema"] for each in found.values())


def test_a_wrong_parameter_is_refused_before_the_run_starts(deployed: Server) -> None:
    (deployment,) = [
        each for each in deployed.post("deployments/filter", {}) if each["name"] == "build-features"
    ]
    with pytest.raises(urllib.error.HTTPError) as refused:
        deployed.post(
            f"deployments/{deployment['id']}/create_flow_run",
            {"parameters": {"max_quarantined": 7}},
        )
    assert 400 <= refused.value.code < 500


def test_a_worker_runs_a_deployment(deployed: Server, tmp_path: Path) -> None:
    write_tiny_fma(tmp_path / "fma")
    parameters = {"data": str(tmp_path / "fma"), "store": str(tmp_path / "store"), "workers": 1}
    deployed.prefect(
        "deployment",
        "run",
        "build-features/build-features",
        "--params",
        json.dumps(parameters),
    )
    worker = subprocess.Popen(
        [sys.executable, "-m", "prefect", "worker", "start", "--pool", "cpu"],
        cwd=tmp_path,
        env=deployed.env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        run = _finished_run(deployed)
    finally:
        os.killpg(worker.pid, 9)
        worker.wait()
    assert run["state_type"] == "COMPLETED", run["state"]["message"]
    keys = {each["key"] for each in deployed.post("artifacts/filter", {})}
    assert keys >= {"catalogue", "features-progress", "throughput", "quarantine"}
    names = {each["name"] for each in deployed.post("task_runs/filter", {})}
    assert "shard 0" in names


def _finished_run(server: Server) -> Any:
    deadline = time.monotonic() + RUN_LIMIT_S
    while True:
        (run,) = server.post("flow_runs/filter", {})
        if run["state_type"] in ("COMPLETED", "FAILED", "CRASHED", "CANCELLED"):
            return run
        assert time.monotonic() < deadline, f"the run is still {run['state_name']}"
        time.sleep(1)
