"""Many songs, heard by one child process or on a Dask cluster; clips that are disturbed there."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genre_model.hearing.prediction import Prediction
from tasks.predicting.chosen import ChosenModel
from tasks.worker.disturbed import DisturbedClip, DisturbedJob, hear_disturbed
from tasks.worker.pickled_call import PickledCall, pickled
from tasks.worker.songs import Song, SongsJob, hear, heard

if TYPE_CHECKING:
    from tasks.comparing.robustness import Clips

SONGS_A_CALL = 4
"""Some seconds of work, so that what is around it does not count."""
_CALLS_A_WORKER = 2


def heard_songs(
    chosen: ChosenModel,
    names: Sequence[str],
    *,
    workers: int | None,
    overview: bool = False,
    say: Callable[[str], None],
) -> Iterator[Prediction]:
    """Hear songs, and yield what each gives as soon as it is known.

    Parameters
    ----------
    chosen : ChosenModel
    names : sequence of str
        Paths and addresses.
    workers : int, optional
        Local Dask workers; without them one child of this process hears all, in their order.
    overview : bool
        Whether their mel pictures are wanted, too.
    say : callable
        Takes a sentence of the cluster.

    Raises
    ------
    ModelError
        If the model does not open.
    ClusterLost
        If no worker starts, or all have gone.
    """
    songs = [Song.of(name) for name in names]
    if workers is None:
        with chosen.child() as child:
            yield from heard(child, songs, overview=overview)
    elif songs:
        jobs = _jobs_of(chosen, songs, overview=overview)
        yield from _on_dask((pickled(hear, job) for job in jobs), workers=workers, say=say)


def disturbed_clips(model: Path, clips: Clips, *, workers: int | None) -> Iterator[DisturbedClip]:
    """Hear clips as they are and disturbed, and yield what each gives as soon as it is known.

    Parameters
    ----------
    model : Path
        The model's folder.
    clips : Clips
    workers : int, optional
        Local Dask workers; one a core by default.

    Raises
    ------
    ModelError
        If the model does not open.
    ClusterLost
        If no worker starts, or all have gone.
    """
    jobs = (
        DisturbedJob(model=model.absolute(), data=clips.data, clips=(clip,))
        for clip in clips.tracks
    )
    yield from _on_dask((pickled(hear_disturbed, job) for job in jobs), workers=workers)


def _jobs_of(chosen: ChosenModel, songs: Sequence[Song], *, overview: bool) -> Iterator[SongsJob]:
    return (
        SongsJob(
            model=chosen.folder.absolute(),
            songs=tuple(songs[first : first + SONGS_A_CALL]),
            overview=overview,
        )
        for first in range(0, len(songs), SONGS_A_CALL)
    )


def _on_dask(
    given: Iterable[PickledCall],
    *,
    workers: int | None,
    say: Callable[[str], None] | None = None,
) -> Iterator[Any]:
    from flows.engine.cluster import dask_crew

    run, calls = uuid.uuid4().hex[:8], enumerate(given)
    with dask_crew(workers=workers, say=say) as crew:
        places = _CALLS_A_WORKER * (workers or crew.size)
        with ThreadPoolExecutor(places, thread_name_prefix="songs") as threads:
            pending: set[Future[list[Any]]] = set()
            try:
                while True:
                    for number, call in itertools.islice(calls, places - len(pending)):
                        pending.add(threads.submit(crew.call, call, f"hear-{run}-{number}"))
                    if not pending:
                        return
                    done, pending = wait(pending, return_when=FIRST_COMPLETED)
                    for each in done:
                        yield from each.result()
            finally:
                threads.shutdown(wait=False, cancel_futures=True)
