"""The Dask cluster that a flow computes on: local worker processes, or one that already runs."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flows.engine import interrupts, orphans
from flows.errors import ClusterLost, UsageError

if TYPE_CHECKING:
    from distributed import Client
    from distributed.deploy.cluster import Cluster

CONNECT_LIMIT_S = 30.0
CLOSE_LIMIT_S = 20.0
NO_WORKERS_LIMIT_S = 60.0
_LATECOMERS_S = 3.0
_CHECK_LIMIT_S = 5.0
# Every Dask process keeps the last messages that it sent, jobs and all: 1,000 by default.
_MESSAGES_KEPT = 10

PRELOADED = ["tasks.worker.shards", "genre_model.signal.log_mel", "genre_model.signal.waveforms"]
"""Modules of a shard's job; a frontend imports its own only where it is built or unpickled."""

_SETTINGS = {
    # Nannies replace killed workers, but nobody replaces a nanny.
    "DASK_DISTRIBUTED__SCHEDULER__NO_WORKERS_TIMEOUT": f"{NO_WORKERS_LIMIT_S:g}s",
    # A worker imports what it needs while it starts, not while its first shard waits.
    "DASK_DISTRIBUTED__WORKER__PRELOAD": json.dumps(PRELOADED),
    "DASK_DISTRIBUTED__ADMIN__LOW_LEVEL_LOG_LENGTH": f"{_MESSAGES_KEPT}",
    # A nanny would have its worker give memory back at once, and page it in anew for every shard.
    "MALLOC_MMAP_THRESHOLD_": f"{2**25}",
    "MALLOC_TRIM_THRESHOLD_": f"{2**26}",
}


@contextmanager
def dask_client(*, workers: int | None = None, scheduler: str | None = None) -> Iterator[Client]:
    """Yield a client of a Dask cluster, which is also `distributed.get_client()` meanwhile.

    Parameters
    ----------
    workers : int, optional [at least 1]
        Local worker processes of one thread each; one a core by default. Not with `scheduler`.
    scheduler : str, optional
        Address of a running scheduler, as ``tcp://host:8786``; nothing is started then.

    Yields
    ------
    distributed.Client
        With at least one worker.

    Raises
    ------
    UsageError
        If `workers` is not positive, or nothing answers at `scheduler`, or it has no worker.
    ClusterLost
        If no local worker starts, the scheduler goes meanwhile, or every local worker with its
        nanny.
    """
    import dask
    from distributed.client import ClosedClientError
    from distributed.comm.core import CommClosedError
    from distributed.scheduler import NoWorkerError

    _check_workers(workers)
    try:
        with (
            dask.config.set({"distributed.admin.low-level-log-length": _MESSAGES_KEPT}),
            _joined(scheduler) if scheduler else _local(workers or os.cpu_count() or 1) as client,
        ):
            yield client
    except (CancelledError, ClosedClientError, CommClosedError, NoWorkerError) as error:
        raise ClusterLost(
            f"the Dask cluster was lost ({str(error).splitlines()[0]}); what was written stays, "
            "run the same command again to go on"
        ) from error


def check_cluster(*, workers: int | None = None, scheduler: str | None = None) -> None:
    """Refuse at once what `dask_client` would refuse after half a minute.

    Parameters
    ----------
    workers, scheduler
        As for `dask_client`.

    Raises
    ------
    UsageError
        If `workers` is not positive, or nothing listens at `scheduler`.
    """
    _check_workers(workers)
    if scheduler is None or (address := _host_and_port(scheduler)) is None:
        return
    try:
        socket.create_connection(address, timeout=_CHECK_LIMIT_S).close()
    except OSError as error:
        raise _no_answer(scheduler) from error


def _check_workers(workers: int | None) -> None:
    if workers is not None and workers < 1:
        raise UsageError(f"--workers is {workers}; it must be at least 1")


def _host_and_port(scheduler: str) -> tuple[str, int] | None:
    """Take a TCP address apart; None for one of another transport, which only Dask can try."""
    try:
        parts = urlsplit(scheduler if "://" in scheduler else f"tcp://{scheduler}")
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise _no_answer(scheduler) from error
    if parts.scheme not in ("tcp", "tls"):
        return None
    if host is None or port is None:
        raise _no_answer(scheduler)
    return host, port


def _no_answer(scheduler: str) -> UsageError:
    return UsageError(
        f"no Dask scheduler answers at {scheduler}; start one with `dask scheduler`, "
        "or leave --scheduler out"
    )


@contextmanager
def _local(workers: int) -> Iterator[Client]:
    from distributed import Client

    with _processes(workers) as cluster, Client(cluster) as client:
        try:
            client.wait_for_workers(1, timeout=CONNECT_LIMIT_S)
        except TimeoutError as error:
            raise ClusterLost(
                f"no Dask worker started within {CONNECT_LIMIT_S:g} s; "
                "run the same command again to go on"
            ) from error
        # The first one there would be given the first shards of all.
        with suppress(TimeoutError):
            client.wait_for_workers(workers, timeout=_LATECOMERS_S)
        yield client


@contextmanager
def _processes(workers: int) -> Iterator[Cluster]:
    """Start a scheduler and workers that neither Ctrl-C nor a killed driver leaves behind."""
    from distributed.deploy.subprocess import SubprocessCluster

    orphans.leave_none()
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
    # Workers are fresh interpreters rather than spawned copies: a spawned one imports the main
    # module again, and with it Prefect, which no worker needs.
    with interrupts.sigint_blocked():
        cluster = SubprocessCluster(
            n_workers=workers,
            threads_per_worker=1,
            dashboard_address=None,  # type: ignore[arg-type]  # its docstring allows None
            scheduler_kwargs={"preload": [interrupts.__name__]},
            worker_kwargs={
                "memory_limit": 0,
                "dashboard": False,
                "preload_nanny": [interrupts.__name__],
            },
        )
    try:
        yield cluster
    finally:
        # Without its scheduler, a cluster never says that it is closed; its processes end with us.
        with suppress(TimeoutError):
            cluster.close(timeout=CLOSE_LIMIT_S)


@contextmanager
def _joined(scheduler: str) -> Iterator[Client]:
    from distributed import Client

    try:
        client = Client(scheduler, timeout=CONNECT_LIMIT_S)
    except (OSError, TimeoutError, ValueError) as error:
        raise _no_answer(scheduler) from error
    with client:
        try:
            client.wait_for_workers(1, timeout=CONNECT_LIMIT_S)
        except TimeoutError as error:
            raise UsageError(
                f"the Dask scheduler at {scheduler} has no worker; "
                f"start one with `dask worker {scheduler}`"
            ) from error
        yield client
