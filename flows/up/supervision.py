"""From Ctrl-C, `genre down` or a dead service to an end of all that `genre up` has started."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from flows.engine.progress import say
from flows.errors import NotStarted
from flows.results import DownResult
from flows.up import services, state
from flows.up.state import Running

SUPERVISOR_LIMIT_S = 30.0

_STOP = signal.SIGUSR1
"""What `genre down` sends: an end that was asked for, where SIGTERM is an interruption."""
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, _STOP)


def serve(running: Running) -> None:
    """Watch until it is interrupted, then stop everything.

    Raises
    ------
    KeyboardInterrupt
        On Ctrl-C, `genre down` or the end of the terminal; on SIGTERM what its handler raises.
    NotStarted
        If a service ends by itself; the others are stopped then, too.
    """
    try:
        signal.signal(_STOP, _interrupt)
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            signal.signal(signal.SIGHUP, _interrupt)
        say("Ctrl-C stops it")
        _watch(running)
    except KeyboardInterrupt:
        say("stopping")
        raise
    finally:
        with _deaf():
            services.stop(running.services, mark=running.mark, say=say)
            state.forget(Path(running.result.state))


def stop() -> DownResult:
    """Stop what `genre up` has started, and nothing else."""
    folder = state.folder()
    with state.one_at_a_time(folder):
        running = state.read(folder)
        stopped = end(running) if running else []
        state.forget(folder)
    return DownResult(stopped=tuple(stopped), state=str(folder))


def end(running: Running) -> list[str]:
    """Have its `genre up` end if it lives, then stop what is left; return the roles that lived."""
    roles = [service.role for service in running.services if not service.process.is_dead]
    supervisor = running.supervisor
    if supervisor is not None and not supervisor.is_dead:
        os.kill(supervisor.pid, _STOP)
        services.all_dead([supervisor], limit_s=SUPERVISOR_LIMIT_S)
    services.stop(running.services, mark=running.mark, say=say)
    return roles


def _watch(running: Running) -> None:
    while True:
        for service in running.services:
            if service.process.is_dead:
                raise NotStarted(f"the {service.role} has ended by itself; {service.last_words()}")
        time.sleep(1.0)


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


@contextmanager
def _deaf() -> Iterator[None]:
    """Let no second signal cut the stopping short: it takes seconds, and leaves nothing."""
    heard = {number: signal.signal(number, signal.SIG_IGN) for number in _ENDING}
    try:
        yield
    finally:
        for number, handler in heard.items():
            signal.signal(number, handler)
