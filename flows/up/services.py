"""Processes that `genre up` starts: each in a session of its own, all found again by their mark.

The mark is an environment variable that every descendant inherits, also the runs that a worker
starts and their Dask clusters. So everything is found that `genre up` has started, even where its
parent has died, and nothing else: neither a process that was given a dead one's pid, nor a worker
that somebody else has started on the same server.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self

import psutil

from flows.engine import orphans
from flows.errors import NotStarted
from flows.up import private
from storage.places.processes import ProcessIdentity, this_process

MARK = "GENRE_UP"
"""Environment variable of everything that one `genre up` has started."""

SERVER = "server"
LOG_LINES = 5
RUNS_LIMIT_S, SERVICE_LIMIT_S = 6.0, 3.0
_PAUSE_S, _ASK_AGAIN_S = 0.1, 0.5
_RUN = "prefect.engine"  # what a worker starts for a flow run: python -m prefect.engine


@dataclass(frozen=True, kw_only=True)
class Service:
    """A server or a worker.

    Attributes
    ----------
    role : str
        `server`, or `worker <pool>`.
    process : ProcessIdentity
    log : str
        The file that it writes to.
    """

    role: str
    process: ProcessIdentity
    log: str

    @classmethod
    def start(
        cls,
        role: str,
        command: Sequence[str],
        *,
        env: Mapping[str, str],
        log: Path,
        umask: int = -1,
    ) -> Self:
        """Start it beside its log, out of the reach of the terminal.

        Parameters
        ----------
        role, log
            As the attributes.
        command : sequence of str
        env : Mapping
            Added to the environment.
        umask : int
            Of its files; this process's own if it is -1.
        """
        with open(log, "wb", opener=private.opener) as output:
            child = subprocess.Popen(
                command,
                cwd=log.parent,
                env={**os.environ, **env},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                umask=umask,
            )
        _children.append(child)
        return cls(role=role, process=identity(child.pid), log=str(log))

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Self:
        """Read what `to_dict` gave."""
        return cls(
            role=stored["role"], process=ProcessIdentity(**stored["process"]), log=stored["log"]
        )

    def to_dict(self) -> dict[str, object]:
        """Return plain values, ready for JSON."""
        return asdict(self)

    def wait_until(self, ready: Callable[[], bool], *, limit_s: float) -> None:
        """Wait until it is ready.

        Raises
        ------
        NotStarted
            If it ends, or is not ready in time.
        """
        deadline = time.monotonic() + limit_s
        while not ready():
            if self.process.is_dead or time.monotonic() > deadline:
                raise NotStarted(f"the {self.role} did not start; {self.last_words()}")
            time.sleep(_ASK_AGAIN_S)

    def last_words(self) -> str:
        """Return the end of its log, as the tail of a sentence."""
        return tail(Path(self.log))


_children: list[subprocess.Popen[bytes]] = []  # kept, so that they can be reaped


def identity(pid: int) -> ProcessIdentity:
    """Identify a living process of this host."""
    started = round(psutil.Process(pid).create_time(), 2)
    return replace(this_process(), pid=pid, started=started)


def tail(log: Path) -> str:
    """Return the last lines of a log, as the tail of a sentence."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    kept = [line.strip() for line in lines if line.strip()][-LOG_LINES:]
    return f"{log} ends with: {' / '.join(kept) or 'nothing'}"


def stop(services: Iterable[Service], *, mark: str, say: Callable[[str], None]) -> list[str]:
    """End the runs, then the workers, then the server, and what they have started.

    Runs are ended while server and workers live, so that they are written down as crashed. Who
    does not end in time is killed.

    Parameters
    ----------
    services : iterable of Service
    mark : str
        The value of `MARK`.
    say : callable
        Told what is being stopped.

    Returns
    -------
    list of str
        The roles of those that were stopped.
    """
    alive = [service for service in services if not service.process.is_dead]
    workers = [service for service in alive if service.role != SERVER]
    servers = [service for service in alive if service.role == SERVER]
    own = {service.process.pid for service in alive}
    runs = [each for each in _marked(mark) if each.pid not in own and _is_run(each)]
    if runs:
        say(f"stopping {len(runs)} flow run(s)")
        _signal(runs, signal.SIGTERM)
        psutil.wait_procs(runs, timeout=RUNS_LIMIT_S)
    for stage in (workers, servers):
        for service in stage:
            say(f"stopping the {service.role}")
        _end(stage)
    _kill_marked(mark)
    return [service.role for service in alive]


def all_dead(processes: Iterable[ProcessIdentity], *, limit_s: float) -> bool:
    """Wait until all of them are dead; False if some are not in time."""
    left, deadline = list(processes), time.monotonic() + limit_s
    while left := [each for each in left if not each.is_dead]:
        if time.monotonic() > deadline:
            return False
        time.sleep(_PAUSE_S)
    return True


def _end(services: Sequence[Service]) -> None:
    """End them as groups: SIGTERM, a second one, SIGKILL."""
    for step in (signal.SIGTERM, signal.SIGTERM, signal.SIGKILL):
        for service in services:
            if not service.process.is_dead:
                # A service leads its own group; whoever else is in it was started by it.
                _signal_group(service.process.pid, step)
        if all_dead([service.process for service in services], limit_s=SERVICE_LIMIT_S):
            return


def _kill_marked(mark: str) -> None:
    """Kill what is left, again until nothing is: a dying nanny may have started a worker."""
    deadline = time.monotonic() + SERVICE_LIMIT_S
    while (left := _marked(mark)) and time.monotonic() < deadline:
        _signal(left, signal.SIGKILL)
        time.sleep(_PAUSE_S)


def _marked(mark: str) -> list[psutil.Process]:
    found = orphans.marked(mark, variable=MARK)
    return [process for process in found if process.pid != os.getpid()]


def _is_run(process: psutil.Process) -> bool:
    try:
        return _RUN in process.cmdline()
    except psutil.Error:
        return False


def _signal(processes: Iterable[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        try:
            process.send_signal(number)
        except psutil.Error:
            continue  # it has ended meanwhile


def _signal_group(pid: int, number: signal.Signals) -> None:
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        return
