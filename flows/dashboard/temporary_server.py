"""Prefect's temporary server: started before the flow, out of Ctrl-C's reach, flushed after it."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from contextlib import AbstractContextManager

from flows.dashboard import database_space, login, server_database
from flows.errors import NotStarted, UsageError

FLUSH_LIMIT_S = 10.0
_LOOK_S = 0.2
_TAKES_ANOTHER_PORT = 3
_TIME_LIMIT = "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS"


def start(*, sigint_blocked: Callable[[], AbstractContextManager[None]]) -> None:
    """Start the server that Prefect would start itself, unless another one is configured.

    It is started in a thread, out of the reach of Ctrl-C, for which the caller stays awake. It asks
    for the user's PREFECT_SERVER_API_AUTH_STRING, else for a password that is made for it.

    Parameters
    ----------
    sigint_blocked : callable
        Gives the context in which what is started is out of that reach.

    Raises
    ------
    UsageError
        If it ends by itself, or the disk of its database is full; the sentence names that.
    NotStarted
        If it takes longer than Prefect's limit.
    """
    from prefect.settings import PREFECT_API_URL

    if not PREFECT_API_URL.value():
        server_database.make_private()
        login.log_in(login.servers_password() or login.new_password(), server=True)
    started: Future[None] = Future()
    with sigint_blocked():
        threading.Thread(target=_start, args=[started], daemon=True).start()
    seen: list[int] = []
    while not wait([started], timeout=_LOOK_S).done:
        database_space.check_not_full()
        _check_lives(seen)
    try:
        started.result()
    except RuntimeError as error:
        raise NotStarted(
            "Prefect's temporary server does not answer in time; run the same command again, or "
            f"raise {_TIME_LIMIT} (its database is {server_database.shown_address()})"
        ) from error


def _check_lives(seen: list[int]) -> None:
    """Refuse to wait on where the server has ended; Prefect goes on for minutes.

    Parameters
    ----------
    seen : list of int
        The processes that there were so far: after the status of a taken port, Prefect starts
        another one on another port, which is given one try.
    """
    module = sys.modules.get("prefect.server.api.server")
    # what is being imported has not all of its names yet
    kind = getattr(module, "SubprocessASGIServer", None)
    process = None if kind is None else kind().server_process  # there is one for all
    if process is None:
        return
    if process.pid not in seen:
        seen.append(process.pid)
    if len(seen) > 2 or process.poll() not in (None, _TAKES_ANOTHER_PORT):
        raise UsageError(
            "Prefect's temporary server ends by itself; its database is "
            f"{server_database.shown_address()}: {server_database.remedy()}, or see what `prefect "
            "server start` says"
        )


def flush(*, limit_s: float = FLUSH_LIMIT_S) -> None:
    """Wait until the server has written down what this process told it, if it is temporary.

    It ends with the process, and task runs reach its database in batches, about a second late:
    without this the last ones would stand in the dashboard as running for ever.

    Parameters
    ----------
    limit_s : float
        Seconds after which to give up; the runs themselves are not affected.
    """
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import (
        FlowRunFilter,
        FlowRunFilterState,
        FlowRunFilterStateType,
        TaskRunFilter,
        TaskRunFilterState,
        TaskRunFilterStateType,
    )
    from prefect.client.schemas.objects import StateType
    from prefect.settings import PREFECT_API_URL

    if PREFECT_API_URL.value():
        return
    deadline = time.monotonic() + limit_s
    finished = FlowRunFilter(
        state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.COMPLETED]))
    )
    under_way = TaskRunFilter(
        state=TaskRunFilterState(
            type=TaskRunFilterStateType(any_=[StateType.PENDING, StateType.RUNNING])
        )
    )
    with get_client(sync_client=True) as client:
        while time.monotonic() < deadline and client.read_task_runs(
            flow_run_filter=finished, task_run_filter=under_way, limit=1
        ):
            time.sleep(0.25)


def _start(started: Future[None]) -> None:
    from prefect.client.orchestration import get_client

    try:
        get_client(sync_client=True)
    except BaseException as error:  # noqa: BLE001 - raised in the caller's thread
        started.set_exception(error)
    else:
        started.set_result(None)
