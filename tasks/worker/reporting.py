"""How a Dask worker tells the driver who it is, and how far it has come with its part."""

from __future__ import annotations

import time
from collections.abc import Callable

_REPORT_EVERY_S = 0.5


def reporter(topic: str, part: int) -> Callable[[int], None]:
    """Return what tells the driver how much of a part is done; it does so twice a second at most.

    Parameters
    ----------
    topic : str
        Of Dask's events, which the driver has subscribed to; empty for telling nobody.
    part : int
        The part's number.

    Returns
    -------
    callable
        Takes how much is done; sends ``{"part": …, "done": …}``.
    """
    if not topic:
        return lambda _done: None
    from distributed import get_worker

    worker, last = get_worker(), [0.0]

    def report(done: int) -> None:
        now = time.monotonic()
        if now - last[0] >= _REPORT_EVERY_S:
            last[0] = now
            worker.log_event(topic, {"part": part, "done": done})

    return report


def own_address(topic: str) -> str:
    """Return the address of the Dask worker that calls; "" where `topic` is, as with `reporter`."""
    if not topic:
        return ""
    from distributed import get_worker

    return str(get_worker().address)
