"""How long a download will take, said once it is known and again now and then."""

from __future__ import annotations

import time
from collections.abc import Callable

from flows.engine import progress

_FIRST_S, _EVERY_S = 3.0, 300.0
MEBIBYTE = 2**20


class DownloadProgress:
    """Shows the bytes of one download, and says when it will be done.

    Parameters
    ----------
    name : str
        Of the archive.
    show : callable
        Of `progress.stage`, in mebibytes.
    say : callable
        Takes the sentence.
    clock : callable
        Seconds that only grow.
    """

    def __init__(
        self,
        name: str,
        show: progress.Show,
        *,
        say: Callable[[str], None] = progress.say,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name, self._show, self._say, self._clock = name, show, say, clock
        self._began: tuple[float, int] | None = None
        self._next_s = _FIRST_S

    def __call__(self, done: int, size: int | None) -> None:
        """Take note of the bytes that are there, and of those of the whole."""
        now = self._clock()
        if self._began is None:
            self._began = now, done
        since, there = self._began
        rate = (done - there) / max(now - since, 1e-3)
        self._show(done // MEBIBYTE, f"{rate / MEBIBYTE:,.1f} MiB/s")
        if now - since < self._next_s or not rate or size is None:
            return
        self._next_s = now - since + _EVERY_S
        self._say(
            f"{self._name}: {done / MEBIBYTE:,.0f} of {size / MEBIBYTE:,.0f} MiB are there; at "
            f"{rate / MEBIBYTE:,.1f} MiB/s the rest takes {duration((size - done) / rate)}"
        )


def duration(seconds: float) -> str:
    """Round a time for people.

    Examples
    --------
    >>> duration(42), duration(600), duration(40_000)
    ('42 s', '10 min', '11.1 h')
    """
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6_000 else f"{seconds / 3_600:.1f} h"
