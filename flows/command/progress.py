"""Progress on stderr: bars on a terminal, a line a stage elsewhere."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from flows.engine.progress import Show, install, say
from genre_model.printable import printable

__all__ = ["Bars", "Lines", "enable", "say"]

_LOOKED_BACK_S = 600.0
"""What the time left is judged by: an epoch may take minutes."""


class Lines:
    """Writes a line a stage, when it has ended."""

    @contextmanager
    def stage(self, name: str, *, total: int, unit: str) -> Iterator[Show]:
        """Write what was done last, and how long it took; nothing if nothing was done."""
        began, last = time.monotonic(), ["", 0]

        def show(done: int, note: str) -> None:
            last[:] = [note, done]

        yield show
        if not last[1]:
            return
        note = f", {last[0]}" if last[0] else ""
        seconds = time.monotonic() - began
        self.say(f"{name}: {last[1]:,} of {total:,} {unit}{note}, {seconds:.1f} s")

    def say(self, sentence: str) -> None:
        """Write one line to stderr."""
        sys.stderr.write(f"{printable(sentence)}\n")
        sys.stderr.flush()


class Bars(Lines):
    """Draws a bar a stage."""

    @contextmanager
    def stage(self, name: str, *, total: int, unit: str) -> Iterator[Show]:
        """Draw a bar while the context lasts."""
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )

        # The bar is drawn by a thread, which must not draw where a decoder's words are captured.
        with (
            os.fdopen(os.dup(sys.stderr.fileno()), "w") as terminal,
            Progress(
                TextColumn("[bold]{task.description:<9}"),
                BarColumn(bar_width=None),  # what the rest of the line leaves
                MofNCompleteColumn(),
                TextColumn(unit),
                TimeRemainingColumn(),
                TextColumn("{task.fields[note]}", markup=False),
                console=Console(file=terminal),
                expand=True,
                speed_estimate_period=_LOOKED_BACK_S,
            ) as progress,
        ):
            bar = progress.add_task(name, total=total, note="")
            yield lambda done, note: progress.update(bar, completed=done, note=printable(note))


def enable() -> None:
    """Show progress on stderr from now on; the command calls this, flows in a worker do not."""
    install(Bars() if sys.stderr.isatty() else Lines())
