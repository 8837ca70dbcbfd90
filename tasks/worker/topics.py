"""What workers send to a Dask topic, heard for as long as somebody waits for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from distributed import Client


@contextmanager
def heard(
    client: Client, topic: str, handler: Callable[[tuple[float, Any]], None]
) -> Iterator[None]:
    """Call `handler` with the time and content of what is sent meanwhile, in the client's thread.

    Parameters
    ----------
    client : distributed.Client
    topic : str
    handler : callable
    """
    from distributed.client import ClosedClientError

    client.subscribe_topic(topic, handler)
    try:
        yield
    finally:
        # a scheduler that is gone has taken the subscription along; why it is gone is told
        # by what is raised already
        with suppress(ClosedClientError):
            client.unsubscribe_topic(topic)
