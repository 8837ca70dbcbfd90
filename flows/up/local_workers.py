"""Prefect workers on this machine, one a pool."""

from __future__ import annotations

import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from flows.engine.progress import say
from flows.up import local_server
from flows.up.services import Service

START_LIMIT_S = 90.0
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
        say(f"starting a worker of pool {self.name}")
        command = [sys.executable, "-m", "prefect", "worker", "start", "--pool", self.name]
        return Service.start(
            f"{_ROLE}{self.name}",
            [*command, "--name", self.worker],
            env=env,
            log=folder / f"worker-{self.name}.log",
        )

    def heartbeat(self) -> str | None:
        """Return when the worker was heard of last; None if never, or if the server won't say."""
        found = local_server.ask(self.api, f"work_pools/{self.name}/workers/filter", {})
        beats = [each["last_heartbeat_time"] for each in found or () if each["name"] == self.worker]
        return str(beats[0]) if beats else None

    def is_heard_again(self, before: str | None) -> bool:
        """Whether the worker was heard of since its heartbeat was `before`."""
        return self.heartbeat() != before


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
    workers = {pool: pool.start_worker(env=env, folder=folder) for pool in before}
    started.extend(workers.values())
    for pool, worker in workers.items():
        worker.wait_until(partial(pool.is_heard_again, before[pool]), limit_s=START_LIMIT_S)
