"""Prefect's temporary server: started before the flow, so that Ctrl-C does not end it first."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractContextManager


def start(*, spared: Callable[[], AbstractContextManager[None]]) -> None:
    """Start the server that Prefect would start itself, unless another one is configured.

    It is started in a thread, out of the reach of Ctrl-C, for which the caller stays awake.

    Parameters
    ----------
    spared : callable
        Gives the context in which what is started is out of that reach.

    Raises
    ------
    RuntimeError
        If it does not start.
    """
    started: Future[None] = Future()
    with spared():
        threading.Thread(target=_start, args=[started], daemon=True).start()
    started.result()


def _start(started: Future[None]) -> None:
    from prefect.client.orchestration import get_client

    try:
        get_client(sync_client=True)
    except BaseException as error:  # noqa: BLE001 - raised in the caller's thread
        started.set_exception(error)
    else:
        started.set_result(None)
