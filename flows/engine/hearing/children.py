"""Songs heard by several children of this process at once, each fed by a thread."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from queue import SimpleQueue

from flows.engine.hearing.at_once import as_they_end
from genre_model.hearing.prediction import Prediction
from tasks.predicting.chosen import ChosenModel
from tasks.worker.predicting import PredictingChild
from tasks.worker.songs import Song, heard

_IN_HAND = 2
"""Songs a child: one that is heard, and the next one."""


def heard_by_children(
    chosen: ChosenModel, songs: Sequence[Song], *, children: int, overview: bool = False
) -> Generator[Prediction, None, None]:
    """Hear songs by so many children; whichever is free takes the next song.

    Whoever stops asking waits for no song that is heard, but for one that is being downloaded.

    Parameters
    ----------
    chosen : ChosenModel
    songs : sequence of Song [at least 1]
    children : int [at least 1]
    overview : bool
        Whether their mel pictures are wanted, too.

    Yields
    ------
    Prediction
        In the order of being done.

    Raises
    ------
    DecoderBroken, DecoderStalled
        If a child does not start.
    ModelError
        If the model does not open.
    """
    with ExitStack() as stack:
        everyone = [stack.enter_context(chosen.child()) for _ in range(min(children, len(songs)))]
        threads = stack.enter_context(ThreadPoolExecutor(len(everyone), "songs"))
        free: SimpleQueue[PredictingChild] = SimpleQueue()
        for child in everyone:
            free.put(child)
            # before threads are waited for: one that waits for its answer waits no longer
            stack.callback(child.end)

        def hear(song: Song) -> Prediction:
            child = free.get()
            try:
                (found,) = heard(child, [song], overview=overview)
            finally:
                free.put(child)
            return found

        calls = (partial(hear, song) for song in songs)
        yield from as_they_end(threads, calls, at_once=_IN_HAND * len(everyone))
