"""From Ctrl-C, `genre down` or a dead service to an end of all that `genre up` has started."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from types import FrameType
from typing import NoReturn

from flows.engine.progress import say
from flows.errors import NotStarted
from flows.results import DownResult
from flows.up import passwords, services, state
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
    _hear_once()
    try:
        say("Ctrl-C stops it")
        _watch(running)
    except KeyboardInterrupt:
        say("stopping")
        raise
    finally:
        _hear_nothing()
        services.stop(running.services, mark=running.mark, say=say)
        _forget(Path(running.result.state))


def stop() -> DownResult:
    """Stop what `genre up` has started, and nothing else."""
    folder = state.folder()
    with state.one_at_a_time(folder):
        running = state.read(folder)
        stopped = end(running) if running else []
        _forget(folder)
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


def _forget(folder: Path) -> None:
    passwords.forget(folder)
    state.forget(folder)


def _watch(running: Running) -> None:
    while True:
        for service in running.services:
            if service.process.is_dead:
                raise NotStarted(f"the {service.role} has ended by itself; {service.last_words()}")
        time.sleep(1.0)


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def _hear_once() -> None:
    """Hear the first signal that is to end this process and no other, until it has ended.

    Stopping takes seconds and leaves nothing: a second signal must not cut it short at any point,
    not even one that came with the first.
    """
    before = {number: signal.getsignal(number) for number in _ENDING}
    own = {_STOP: _interrupt, signal.SIGHUP: _interrupt}

    def hear(number: int, frame: FrameType | None) -> None:
        _hear_nothing()
        handler = own.get(signal.Signals(number), before[signal.Signals(number)])
        if callable(handler):
            handler(number, frame)

    for number in _ENDING:
        if before[number] is not signal.SIG_IGN:  # as nohup has it
            signal.signal(number, hear)


def _hear_nothing() -> None:
    for number in _ENDING:
        signal.signal(number, signal.SIG_IGN)
