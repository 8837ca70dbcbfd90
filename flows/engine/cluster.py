"""The Dask cluster that a flow computes on: local worker processes, or one that already runs."""

from __future__ import annotations

import asyncio
import os
import pkgutil
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flows.engine.crew.crew import START_LIMIT_S, Crew
from flows.engine.crew.notices import show_once, teller
from flows.engine.crew.requirements import lacks, same_installation
from flows.engine.joined_security import REMEDY, joined_security
from flows.engine.local.processes import MESSAGES_KEPT, processes
from flows.errors import ClusterLost, UsageError
from tasks.worker.pickled_call import PickledCall

if TYPE_CHECKING:
    from distributed import Client
    from distributed.security import Security

CONNECT_LIMIT_S = 90.0
"""That a scheduler has to answer; on a machine with too much to do 30 s are too few."""
SAID_AFTER_S = 10.0
_CHECK_LIMIT_S = 5.0


@contextmanager
def dask_crew(
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    say: Callable[[str], None] | None = None,
) -> Iterator[Crew]:
    """Yield the workers of a Dask cluster that may be given work, each checked before.

    Its client is also `distributed.get_client()` meanwhile.

    Parameters
    ----------
    workers : int, optional [at least 1]
        Local worker processes of one thread each; one a core by default. Not with `scheduler`.
    scheduler : str, optional
        Address of a running scheduler, as ``tls://host:8786``; nothing is started then.
    say : callable, optional
        Takes a sentence of a worker that is left aside, or waited for; by default it is shown, and
        logged in the run that calls.

    Yields
    ------
    Crew
        With at least one member.

    Raises
    ------
    UsageError
        If `workers` is not positive, or nothing answers at `scheduler`, or it has no worker, or
        none that has this package and the same libraries.
    ClusterLost
        If no local worker starts, the scheduler goes meanwhile, or every worker.
    """
    import dask
    from distributed.client import ClosedClientError
    from distributed.comm.core import CommClosedError
    from distributed.scheduler import NoWorkerError

    _check_workers(workers)
    tell = say or teller()
    try:
        with (
            dask.config.set({"distributed.admin.low-level-log-length": MESSAGES_KEPT}),
            _joined(scheduler, tell) if scheduler else _local(workers or _cores(), tell) as crew,
        ):
            yield crew
    except (CancelledError, ClosedClientError, CommClosedError, NoWorkerError) as error:
        raise ClusterLost(
            f"the Dask cluster was lost ({str(error).splitlines()[0]}); what was written stays, "
            "run the same command again to go on"
        ) from error


@contextmanager
def dask_client(*, workers: int | None = None, scheduler: str | None = None) -> Iterator[Client]:
    """Yield the client of `dask_crew`, which sends work to any worker, a member or not.

    Parameters
    ----------
    workers, scheduler
        As for `dask_crew`.
    """
    with dask_crew(workers=workers, scheduler=scheduler) as crew:
        yield crew.client


def check_cluster(*, workers: int | None = None, scheduler: str | None = None) -> None:
    """Refuse what `dask_crew` would refuse, before anything is written or started.

    Parameters
    ----------
    workers, scheduler
        As for `dask_crew`.

    Raises
    ------
    UsageError
        If `workers` is not positive, or nothing answers at `scheduler`, or it has no worker that
        can be given work.
    """
    _check_workers(workers)
    if scheduler is None:
        return
    with dask_crew(scheduler=scheduler, say=show_once):
        pass


def _cores() -> int:
    return os.cpu_count() or 1


def _check_workers(workers: int | None) -> None:
    if workers is not None and workers < 1:
        raise UsageError(f"--workers is {workers}; it must be at least 1")


def _check_listens(scheduler: str) -> None:
    """Refuse at once where nothing listens, which Dask would ask again until its time is out."""
    if (address := _host_and_port(scheduler)) is not None:
        try:
            socket.create_connection(address, timeout=_CHECK_LIMIT_S).close()
        except OSError as error:
            raise _no_answer(scheduler) from error


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
    of_tls = f" ({REMEDY})" if scheduler.startswith("tls://") else ""
    return UsageError(
        f"no Dask scheduler answers at {scheduler}{of_tls}; start one with `dask scheduler`, "
        "or leave --scheduler out"
    )


@contextmanager
def _local(workers: int, say: Callable[[str], None]) -> Iterator[Crew]:
    from distributed import Client

    def nobody(waited: str) -> ClusterLost:
        return ClusterLost(
            f"no Dask worker started within {waited}; run the same command again to go on"
        )

    with processes(workers, say) as cluster, Client(cluster, timeout=START_LIMIT_S) as client:
        crew = Crew(client, [same_installation()], say=say)
        try:
            # the first one there would be given the first shards of all
            crew.start(expected=workers, nobody=nobody)
            yield crew
        finally:
            crew.close(is_joined=False)


@contextmanager
def _joined(scheduler: str, say: Callable[[str], None]) -> Iterator[Crew]:
    from distributed import Client

    def nobody(waited: str) -> UsageError:
        if crew.is_empty:
            return UsageError(
                f"the Dask scheduler at {scheduler} has no worker; start one with "
                f"`dask worker {scheduler}` (it was waited for, {waited})"
            )
        return UsageError(
            f"no Dask worker of the scheduler at {scheduler} has answered for {waited}; "
            "see what its workers do, and start them again"
        )

    _check_listens(scheduler)
    security = joined_security(scheduler, say=say)
    try:
        # a client waits for ever for what listens there and speaks another protocol
        with ThreadPoolExecutor(1) as aside:
            answer = aside.submit(asyncio.run, _shake_hands(scheduler, security))
            if not wait([answer], timeout=SAID_AFTER_S).done:
                say(
                    f"the Dask scheduler at {scheduler} has not answered within "
                    f"{SAID_AFTER_S:g} s; waiting for it, {CONNECT_LIMIT_S:g} s at most"
                )
            answer.result()
        client = Client(scheduler, security=security, timeout=CONNECT_LIMIT_S)
    except (OSError, TimeoutError, ValueError) as error:
        raise _no_answer(scheduler) from error
    with client:
        _check_scheduler(client, scheduler)
        crew = Crew(client, [same_installation()], say=say)
        try:
            crew.start(nobody=nobody)
            yield crew
        finally:
            crew.close(is_joined=True)


async def _shake_hands(scheduler: str, security: Security) -> None:
    from distributed.comm.core import connect

    async with asyncio.timeout(CONNECT_LIMIT_S):
        comm = await connect(
            scheduler, timeout=CONNECT_LIMIT_S, **security.get_connection_args("client")
        )
    comm.abort()


def _check_scheduler(client: Client, scheduler: str) -> None:
    """Refuse one that cannot pass a call on: it unpickles what holds the job, not the job."""
    needed = f"{PickledCall.__module__}:{PickledCall.__name__}"
    try:
        client.run_on_scheduler(pkgutil.resolve_name, needed)
    except (ImportError, AttributeError) as error:
        raise UsageError(f"the Dask scheduler at {scheduler} {lacks(error)}") from error
