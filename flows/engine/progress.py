"""Progress on stderr: bars on a terminal, a line a stage elsewhere, nothing unless asked for."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Show = Callable[[int, str], None]
"""Called with how much is done, and a short note."""


class _Silent:
    @contextmanager
    def stage(self, name: str, *, total: int, unit: str) -> Iterator[Show]:  # noqa: ARG002
        yield lambda _done, _note: None


class _Lines:
    @contextmanager
    def stage(self, name: str, *, total: int, unit: str) -> Iterator[Show]:
        began, last = time.monotonic(), ["", 0]

        def show(done: int, note: str) -> None:
            last[:] = [note, done]

        yield show
        if not last[1]:
            return
        note = f", {last[0]}" if last[0] else ""
        seconds = time.monotonic() - began
        sys.stderr.write(f"{name}: {last[1]:,} of {total:,} {unit}{note}, {seconds:.1f} s\n")
        sys.stderr.flush()


class _Bars:
    @contextmanager
    def stage(self, name: str, *, total: int, unit: str) -> Iterator[Show]:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        with Progress(
            TextColumn("[bold]{task.description:<9}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn(unit),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
            console=Console(stderr=True),
        ) as progress:
            bar = progress.add_task(name, total=total, note="")
            yield lambda done, note: progress.update(bar, completed=done, note=note)


_display: _Silent | _Lines | _Bars = _Silent()


def enable() -> None:
    """Show progress on stderr from now on; the command calls this, flows in a worker do not."""
    global _display
    _display = _Bars() if sys.stderr.isatty() else _Lines()


@contextmanager
def stage(name: str, *, total: int, unit: str) -> Iterator[Show]:
    """Yield a function that shows how far a stage is.

    Parameters
    ----------
    name : str
        The stage, as `features`.
    total : int
        What `done` ends at; with 0 nothing is shown.
    unit : str
        What is counted, as `tracks`.
    """
    display = _display if total else _Silent()
    with display.stage(name, total=total, unit=unit) as show:
        yield show


def say(sentence: str) -> None:
    """Write one line to stderr, as when a run waits for another one."""
    if not isinstance(_display, _Silent):
        sys.stderr.write(f"{sentence}\n")
        sys.stderr.flush()
