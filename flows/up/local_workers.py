"""Prefect workers on this machine, one a pool."""

from __future__ import annotations

import base64
import json
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.engine import progress
from flows.errors import NotStarted
from flows.up import local_server
from flows.up.services import Service

START_LIMIT_S = 90.0
_PAUSE_S = 0.5
_ROLE = "worker "


@dataclass(frozen=True)
class Pool:
    """A work pool on a server.

    Attributes
    ----------
    api : str
        Address of the server's API.
    name : str
    """

    api: str
    name: str

    @property
    def worker(self) -> str:
        """The name of this machine's worker."""
        return f"{socket.gethostname()}-{self.name}"

    def start_worker(self, *, env: Mapping[str, str], folder: Path) -> Service:
        """Start a worker that logs to `folder`."""
        progress.say(f"starting a worker of pool {self.name}")
        command = [sys.executable, "-m", "prefect", "worker", "start", "--pool", self.name]
        return Service.start(
            f"{_ROLE}{self.name}",
            [*command, "--name", self.worker],
            env=env,
            log=folder / f"worker-{self.name}.log",
        )

    def heartbeat(self) -> str | None:
        """Return when the worker was heard of last; None if never, or if the server won't say."""
        headers = {"content-type": "application/json"}
        if password := local_server.password():
            headers["authorization"] = f"Basic {base64.b64encode(password.encode()).decode()}"
        request = urllib.request.Request(
            f"{self.api}/work_pools/{self.name}/workers/filter", data=b"{}", headers=headers
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                found: list[dict[str, Any]] = json.load(answer)
        except urllib.error.HTTPError:
            return None
        beats = [str(each["last_heartbeat_time"]) for each in found if each["name"] == self.worker]
        return beats[0] if beats else None


def start_workers(
    api: str, pools: Sequence[str], *, env: Mapping[str, str], folder: Path, started: list[Service]
) -> None:
    """Start a worker a pool, note each in `started`, and wait until the server has heard of all.

    Raises
    ------
    NotStarted
        If one ends, or the server does not hear of it in time.
    """
    before = {Pool(api, name): Pool(api, name).heartbeat() for name in pools}
    waiting: dict[Pool, Service] = {}
    for pool in before:
        waiting[pool] = pool.start_worker(env=env, folder=folder)
        started.append(waiting[pool])
    deadline = time.monotonic() + START_LIMIT_S
    while waiting:
        for pool, worker in list(waiting.items()):
            if worker.process.is_dead or time.monotonic() > deadline:
                raise NotStarted(f"the {worker.role} did not start; {worker.last_words()}")
            if pool.heartbeat() != before[pool]:
                del waiting[pool]
        time.sleep(_PAUSE_S)
