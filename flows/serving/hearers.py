"""Children that hear songs, and the bounded queue before them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from genre_model.hearing.prediction import Prediction
from tasks.worker.predicting import PredictingChild

SOON_S = 5
"""When somebody who was turned away is told to come again."""


class Full(Exception):  # noqa: N818 - reads as a sentence
    """So many songs wait already that this one is turned away."""


class Hearers:
    """So many children, each of which hears one song at a time; call it in one event loop.

    Parameters
    ----------
    children : list of PredictingChild
    queue : int
        Songs that may wait beside those that are heard.
    """

    def __init__(self, children: list[PredictingChild], *, queue: int) -> None:
        self._idle = list(children)
        self._all = tuple(children)
        self._most = len(children) + queue
        self._taken = 0
        self._free = asyncio.Semaphore(len(children))

    @property
    def waiting(self) -> int:
        """Return how many songs are there: received, waiting or heard."""
        return self._taken

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold a place, from before a song is received until it is answered.

        Raises
        ------
        Full
            If all are taken.
        """
        if self._taken >= self._most:
            raise Full(f"{self._taken} songs are being heard or wait already; come again soon")
        self._taken += 1
        try:
            yield
        finally:
            self._taken -= 1

    async def hear(self, song: Path, *, overview: bool) -> Prediction:
        """Have a child hear a song, as soon as one is free."""
        async with self._free:
            child = self._idle.pop()
            try:
                # whoever goes away meanwhile leaves the child to its song; then it is free again
                heard = asyncio.ensure_future(
                    asyncio.to_thread(child.predict, song, overview=overview)
                )
                heard.add_done_callback(_is_told)
                return await asyncio.shield(heard)
            finally:
                await asyncio.wait([heard])
                self._idle.append(child)

    def close(self) -> None:
        """End all children for good, whatever they hear: who waits for them waits no longer."""
        for child in self._all:
            child.end()


def _is_told(heard: asyncio.Future[Prediction]) -> None:
    """Take an error that nobody waits for any more; else asyncio writes it on stderr."""
    if not heard.cancelled():
        heard.exception()
