"""Songs heard by several children of this process at once, each fed by a thread."""

from __future__ import annotations

import itertools
from collections.abc import Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from queue import SimpleQueue

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
        free: SimpleQueue[PredictingChild] = SimpleQueue()
        for child in everyone:
            free.put(child)

        def hear(song: Song) -> Prediction:
            child = free.get()
            try:
                (found,) = heard(child, [song], overview=overview)
            finally:
                free.put(child)
            return found

        remaining, pending = iter(songs), set[Future[Prediction]]()
        threads = stack.enter_context(ThreadPoolExecutor(len(everyone), "songs"))
        try:
            while True:
                for song in itertools.islice(remaining, _IN_HAND * len(everyone) - len(pending)):
                    pending.add(threads.submit(hear, song))
                if not pending:
                    return
                done, pending = wait(pending, return_when=FIRST_COMPLETED)
                for each in done:
                    yield each.result()
        finally:
            threads.shutdown(wait=False, cancel_futures=True)
            for child in everyone:
                child.end()  # a thread that waits for its answer waits no longer
