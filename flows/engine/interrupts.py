"""Ctrl-C is meant for the command, not for the processes that it has started."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def sigint_blocked() -> Iterator[None]:
    """Let Ctrl-C not reach the processes that are started meanwhile.

    A terminal sends it to every process of the group, and Dask's scheduler or Prefect's server
    would end at once, while the command still needs them to end in order. Threads and processes
    inherit a blocked signal: so do those that such a thread starts later. For the caller's own
    thread a Ctrl-C waits until the end of this context.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def causes(error: BaseException) -> Iterator[BaseException]:
    """Give an error, and what it came of, the nearest first."""
    one: BaseException | None = error
    seen: set[int] = set()
    while one is not None and id(one) not in seen:
        yield one
        seen.add(id(one))
        one = one.__cause__ or one.__context__


def is_prefects_sigterm(error: BaseException) -> bool:
    """Whether it is what Prefect makes of SIGTERM while a flow runs."""
    prefect = sys.modules.get("prefect.exceptions")
    return prefect is not None and isinstance(error, prefect.TerminationSignal)


def is_interruption(error: BaseException) -> bool:
    """Whether an error came of a signal that is to end everything.

    A signal to the whole group ends Prefect's server too, and what then cannot be told to it is an
    error of its own.
    """
    return any(isinstance(e, KeyboardInterrupt) or is_prefects_sigterm(e) for e in causes(error))


def dask_setup(_server: Any) -> None:
    """Take a Dask scheduler, or a nanny with its worker, out of the terminal's reach.

    Dask calls it in a process that preloads this module. A blocked signal is not enough there:
    Python's `multiprocessing`, which starts the workers, unblocks it.
    """
    if os.getpgrp() != os.getpid():
        os.setsid()
