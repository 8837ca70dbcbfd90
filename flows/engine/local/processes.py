"""The scheduler and the workers that a run starts for itself, on loopback."""

from __future__ import annotations

import logging
import os
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from flows.engine import interrupts, orphans
from flows.engine.crew.crew import NO_WORKERS_LIMIT_S, SAID_AFTER_S, START_LIMIT_S
from flows.engine.local import pages
from flows.engine.local.certificate import as_environment, certificate

if TYPE_CHECKING:
    from distributed.deploy.cluster import Cluster
    from distributed.security import Security

_LOOPBACK = "127.0.0.1"
CLOSE_LIMIT_S = 20.0
# Every Dask process keeps the last messages that it sent, jobs and all: 1,000 by default.
MESSAGES_KEPT = 10

PRELOADED = ["tasks.worker.shards", "genre_model.signal.log_mel", "genre_model.signal.waveforms"]
"""Modules of a shard's job; a frontend imports its own only where it is built or unpickled."""

_SETTINGS = {
    # Nannies replace killed workers, but nobody replaces a nanny.
    "DASK_DISTRIBUTED__SCHEDULER__NO_WORKERS_TIMEOUT": f"{NO_WORKERS_LIMIT_S:g}s",
    "DASK_DISTRIBUTED__ADMIN__LOW_LEVEL_LOG_LENGTH": f"{MESSAGES_KEPT}",
    # A nanny would have its worker give memory back at once, and page it in anew for every shard.
    "MALLOC_MMAP_THRESHOLD_": f"{2**25}",
    "MALLOC_TRIM_THRESHOLD_": f"{2**26}",
}
_of_this_process = threading.Lock()  # its environment: one cluster is started at a time


@contextmanager
def processes(workers: int, say: Callable[[str], None]) -> Iterator[Cluster]:
    """Start a scheduler and workers that neither Ctrl-C nor a killed driver leaves behind.

    They talk to who holds the key of this cluster, which its `security` has.

    Parameters
    ----------
    workers : int
        Processes of one thread each.
    say : callable
        Takes the sentence that the scheduler is waited for.
    """
    from distributed.deploy.spec import SpecCluster

    folder, security, worker = orphans.leave_none(), certificate(), _worker()
    # Workers are fresh interpreters rather than spawned copies: a spawned one imports the main
    # module again, and with it Prefect, which no worker needs.
    with (
        interrupts.sigint_blocked(),
        _said_if_it_lasts(say),
        _of_this_process,
        _environment(_given(security, folder)),
    ):
        cluster = SpecCluster(
            workers=dict.fromkeys(range(workers), worker),
            scheduler=_scheduler(folder),
            worker=worker,
            security=security,
            name="genre",
            silence_logs=logging.WARNING,
        )
    try:
        yield cluster
    finally:
        # Without its scheduler, a cluster never says that it is closed; its processes end with us.
        with suppress(TimeoutError):
            cluster.close(timeout=CLOSE_LIMIT_S)


def _scheduler(folder: Path) -> dict[str, object]:
    from flows.engine.local.scheduler import Scheduler

    return {
        "cls": Scheduler,
        "options": {
            "scheduler_kwargs": {
                "host": _LOOPBACK,
                "port": 0,
                "protocol": "tls",
                "dashboard": False,
                "dashboard_address": f"{_LOOPBACK}:0",
                "preload": [interrupts.__name__, pages.__name__],
                # it tells the address, and anybody may read it where Dask itself would put it
                "scheduler_file": str(folder / f"{uuid.uuid4().hex}.json"),
            },
            # its own limit is half a minute, which a loaded machine may take for the imports alone
            "timeout": START_LIMIT_S,
        },
    }


def _worker() -> dict[str, object]:
    from distributed.deploy.subprocess import SubprocessWorker

    return {
        "cls": SubprocessWorker,
        "options": {
            "worker_kwargs": {
                "host": _LOOPBACK,
                "nthreads": 1,
                "memory_limit": 0,
                "dashboard": False,
                "silence_logs": logging.WARNING,
                "preload_nanny": [interrupts.__name__],
                # A worker imports what it needs while it starts, not while its first shard waits.
                "preload": [*PRELOADED, pages.__name__],
            },
        },
    }


def _given(security: Security, folder: Path) -> dict[str, str]:
    chosen = {name: os.environ.get(name, value) for name, value in _SETTINGS.items()}
    # A worker imports from its folder: below the common one for temporary files, the parent of
    # that folder may be another user's.
    its_own = {"DASK_TEMPORARY_DIRECTORY": str(folder)}
    return {**chosen, **its_own, **pages.UNASKED, **as_environment(security)}


@contextmanager
def _environment(given: Mapping[str, str]) -> Iterator[None]:
    """Have the processes that are started meanwhile inherit `given`, and no later ones."""
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def _said_if_it_lasts(say: Callable[[str], None]) -> Iterator[None]:
    sentence = (
        f"Dask's scheduler has not started within {SAID_AFTER_S:g} s; "
        f"waiting for it, {START_LIMIT_S / 60:g} minutes at most"
    )
    timer = threading.Timer(SAID_AFTER_S, say, [sentence])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
