"""Runs of deployments, and the workers that run them as processes that a test may kill."""

from __future__ import annotations

import os
import socket
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from fault_processes import Started, nothing_left, start, wait_until
from limits import COMMAND_S, STEP_S, TRY_S
from prefect_server import Server

ENDED = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")


@dataclass(frozen=True)
class Run:
    """One flow run of a deployment.

    Attributes
    ----------
    server : Server
    id : str
    """

    server: Server
    id: str

    @property
    def facts(self) -> dict[str, Any]:
        """What the server knows of it."""
        found = self.server.get(f"flow_runs/{self.id}")
        assert isinstance(found, dict)
        return found

    @property
    def state(self) -> str:
        """Its state's type, as `RUNNING`."""
        return str(self.facts["state_type"])

    def ended(self, *, limit_s: float = COMMAND_S) -> dict[str, Any]:
        """Wait until it has ended, and return what the server knows of it."""
        wait_until(lambda: self.state in ENDED, limit_s=limit_s, every_s=0.5, what="the run ended")
        return self.facts

    def completed(self, *, limit_s: float = COMMAND_S) -> None:
        """Wait until it has ended, and check that it completed."""
        facts = self.ended(limit_s=limit_s)
        assert facts["state_type"] == "COMPLETED", facts["state"]["message"]

    def retry(self) -> None:
        """Do what the dashboard's Retry does."""
        self._set({"type": "SCHEDULED", "name": "AwaitingRetry", "message": "Retry from the UI"})

    def cancel(self) -> None:
        """Do what the dashboard's Cancel does."""
        self._set({"type": "CANCELLING", "name": "Cancelling"})

    def _set(self, state: dict[str, str]) -> None:
        answer = self.server.post(f"flow_runs/{self.id}/set_state", {"state": state, "force": True})
        assert answer["status"] == "ACCEPT", answer

    def task_runs(self) -> dict[str, list[str]]:
        """List its task runs and those of its attempts: name -> states, oldest first."""
        found: dict[str, list[str]] = {}
        asked = {"flow_runs": {"id": {"any_": [self.id]}}, "sort": "EXPECTED_START_TIME_ASC"}
        for each in self.server.post("task_runs/filter", asked):
            found.setdefault(each["name"], []).append(each["state_type"])
        return found

    def log(self) -> str:
        """Read the messages of its log."""
        asked = {"logs": {"flow_run_id": {"any_": [self.id]}}, "sort": "TIMESTAMP_ASC"}
        return "\n".join(each["message"] for each in self.server.post("logs/filter", asked))


def create_run(server: Server, deployment: str, **parameters: object) -> Run:
    """Schedule a run of `deployment` (its name alone) for now."""
    (found,) = [
        each for each in server.post("deployments/filter", {}) if each["name"] == deployment
    ]
    given = {
        name: str(value) if isinstance(value, Path) else value for name, value in parameters.items()
    }
    made = server.post(f"deployments/{found['id']}/create_flow_run", {"parameters": given})
    return Run(server, made["id"])


@contextmanager
def marked_server(home: Path, port: int, **settings: str) -> Iterator[tuple[Server, Started]]:
    """Start a server that a test may kill, and start again on the same port and database."""
    api = f"http://127.0.0.1:{port}/api"
    env = {
        **os.environ,
        "PREFECT_HOME": str(home),
        "PREFECT_API_URL": api,
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        **settings,
    }
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1"]
    with nothing_left(start([*command, "--port", str(port)], folder=home, **env)) as process:
        until(lambda: _answers(f"{api}/health"), what=f"{api} answers")
        yield Server(api, env), process


def free_port() -> int:
    """Find a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(url: str) -> bool:
    try:
        return bool(urllib.request.urlopen(url, timeout=TRY_S).status == 200)
    except OSError:
        return False


@contextmanager
def marked_worker(server: Server, pool: str, *, folder: Path, **settings: str) -> Iterator[Started]:
    """Start a worker whose descendants are found again, and end them all afterwards."""
    command = [sys.executable, "-m", "prefect", "worker", "start", "--pool", pool]
    with nothing_left(start(command, folder=folder, **{**server.env, **settings})) as worker:
        yield worker


def until(holds: Any, *, limit_s: float = STEP_S, what: str) -> float:
    """Wait until `holds`, looking ten times a second."""
    return wait_until(holds, limit_s=limit_s, every_s=0.1, what=what)


def dask_processes(worker: Started) -> list[str]:
    """List the command lines of what computes: schedulers, nannies, workers, decoders."""
    found = []
    for process in worker.descendants():
        try:
            line = " ".join(process.cmdline())
        except psutil.NoSuchProcess:
            continue
        if any(word in line for word in ("distributed.", "spawn_main", "decoder_child")):
            found.append(line)
    return found
