"""Automations for runs that do not begin, their hour made short: they fire for those alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from deployment_runs import until
from prefect_server import Server, prefect_server

pytestmark = pytest.mark.services

ROOT = Path(__file__).parents[2]
SHORT_S, LATE_S = 15, 2
SOON = {
    "PREFECT_SERVER_SERVICES_LATE_RUNS_AFTER_SECONDS": str(LATE_S),
    "PREFECT_SERVER_SERVICES_LATE_RUNS_LOOP_SECONDS": "1",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Start a server that has the deployments, no worker, and the automations made quick."""
    folder = tmp_path_factory.mktemp("server")
    quick = re.sub(
        r"within: (600|3600)\b", f"within: {SHORT_S}", (ROOT / "automations.yaml").read_text()
    )
    assert quick.count(f"within: {SHORT_S}") == 2
    (folder / "automations.yaml").write_text(quick)
    with prefect_server(folder, **SOON) as running:
        for pool in ("cpu", "gpu"):
            running.prefect("work-pool", "create", "--type", "process", pool)
        running.prefect("deploy", "--all")
        running.prefect("automation", "create", "--from-file", str(folder / "automations.yaml"))
        yield running


def test_a_run_that_no_worker_takes_is_told_as_late(server: Server) -> None:
    waiting = _created(server)
    until(lambda: _state(server, waiting) == "Late", what="the run is late")
    until(lambda: "genre-run-late" in _fired(server, waiting), what="it is told")
    assert _state(server, waiting) == "Late"


def test_a_run_that_is_taken_and_does_not_begin_is_crashed(server: Server) -> None:
    taken, begun = _created(server), _created(server)
    for run in (taken, begun):
        _set(server, run, "PENDING")
    _set(server, begun, "RUNNING")
    until(lambda: _state(server, taken) == "Crashed", what="the run has ended")
    state = server.get(f"flow_runs/{taken}")["state"]
    assert "did not begin" in state["message"]
    assert _state(server, begun) == "Running"
    assert _fired(server, begun) == set()


def _created(server: Server) -> str:
    found = server.post("deployments/filter", {})
    (deployment,) = [each for each in found if each["name"] == "train-model"]
    run = server.post(f"deployments/{deployment['id']}/create_flow_run", {"parameters": {}})
    return str(run["id"])


def _state(server: Server, run: str) -> str:
    return str(server.get(f"flow_runs/{run}")["state_name"])


def _set(server: Server, run: str, kind: str) -> None:
    told = server.post(f"flow_runs/{run}/set_state", {"state": {"type": kind}, "force": True})
    assert told["status"] == "ACCEPT", told


def _fired(server: Server, run: str) -> set[str]:
    """Name the automations that this run has triggered."""
    since = datetime.now(UTC) - timedelta(hours=1)
    asked: dict[str, Any] = {
        "filter": {
            "occurred": {"since": since.isoformat()},
            "event": {"name": ["prefect.automation.triggered"]},
        }
    }
    found = server.post("events/filter", asked)["events"]
    return {str(each["resource"]["prefect.resource.name"]) for each in found if run in str(each)}
