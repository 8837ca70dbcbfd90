"""Real processes that tests start and kill, found again by a mark in their environment."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from limits import COMMAND_S, STEP_S

_MARK = "GENRE_FAULT_TEST"


@dataclass
class Started:
    """One command, and everything that it starts."""

    process: subprocess.Popen[bytes]
    mark: str
    out: Path
    err: Path
    began: float = field(default_factory=time.monotonic)

    def wait(self, limit_s: float = COMMAND_S) -> int:
        """Wait for the command itself and return its exit status (negative: the signal)."""
        return self.process.wait(limit_s)

    def kill(self) -> None:
        """Kill the command itself, and nothing that it started."""
        self.process.kill()
        self.process.wait()

    def interrupt(self) -> None:
        """Do what Ctrl-C does in a terminal."""
        os.killpg(self.process.pid, signal.SIGINT)

    def terminate(self) -> None:
        """Do what `kill` and a supervisor do: SIGTERM to the command itself."""
        self.process.terminate()

    def terminate_all(self) -> None:
        """Do what `timeout` and systemd do: SIGTERM to the command and to all that it started."""
        os.killpg(self.process.pid, signal.SIGTERM)

    @property
    def said(self) -> str:
        """What it wrote to stderr so far."""
        return self.err.read_text(errors="replace")

    def descendants(self) -> list[psutil.Process]:
        """List the living processes that it started, orphans too."""
        return [process for process in _marked(self.mark) if process.pid != self.process.pid]

    def workers(self) -> list[psutil.Process]:
        """List its Dask workers: the children of nannies."""
        return [
            process
            for process in self.descendants()
            if _words(process, "spawn_main") and _words(_parent(process), "distributed.Nanny")
        ]

    def decoders(self) -> list[psutil.Process]:
        """List its decoders: each worker starts one with its first shard."""
        return self.named("tasks.worker.decoder_child")

    def named(self, word: str) -> list[psutil.Process]:
        """List the living processes that it started with `word` in their command."""
        return [process for process in self.descendants() if _words(process, word)]


def start(command: Sequence[str], *, folder: Path, **env: str | None) -> Started:
    """Start a command in a process group of its own; a variable given as None is taken away."""
    folder.mkdir(parents=True, exist_ok=True)
    mark = uuid.uuid4().hex
    out, err = folder / f"{mark[:8]}.out", folder / f"{mark[:8]}.err"
    given = {**os.environ, **env, _MARK: mark}
    with out.open("wb") as to_out, err.open("wb") as to_err:
        process = subprocess.Popen(
            list(command),
            cwd=folder,
            env={name: value for name, value in given.items() if value is not None},
            stdin=subprocess.DEVNULL,
            stdout=to_out,
            stderr=to_err,
            start_new_session=True,
        )
    return Started(process, mark, out, err)


@contextlib.contextmanager
def nothing_left(started: Started) -> Iterator[Started]:
    """End everything that a command started, whatever the test did to it."""
    try:
        yield started
    finally:
        with contextlib.suppress(ProcessLookupError):
            started.process.kill()
        started.process.wait()
        for process in started.descendants():
            with contextlib.suppress(psutil.Error):
                process.kill()


def wait_until(
    holds: Callable[[], bool], *, limit_s: float = STEP_S, every_s: float = 0.02, what: str
) -> float:
    """Wait until `holds`, and return the seconds that took."""
    began = time.monotonic()
    while not holds():
        if time.monotonic() - began > limit_s:
            raise TimeoutError(f"not within {limit_s:g} s: {what}")
        time.sleep(every_s)
    return time.monotonic() - began


def _marked(mark: str) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            is_ours = process.environ().get(_MARK) == mark
            if is_ours and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def _parent(process: psutil.Process) -> psutil.Process | None:
    with contextlib.suppress(psutil.Error):
        return process.parent()
    return None


def _words(process: psutil.Process | None, word: str) -> bool:
    with contextlib.suppress(psutil.Error):
        return process is not None and any(word in each for each in process.cmdline())
    return False
