"""Many songs, heard by children of this process or on a Dask cluster; clips disturbed there."""

from __future__ import annotations

import itertools
import os
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genre_model.hearing.prediction import Prediction
from genre_model.learning.opening.params import PARAMS_FILE
from storage.places.address import resolve
from tasks.predicting.children import heard_by_children
from tasks.predicting.chosen import ChosenModel
from tasks.worker.disturbed import DisturbedClip, DisturbedJob, hear_disturbed
from tasks.worker.pickled_call import PickledCall, pickled
from tasks.worker.songs import Song, SongsJob, hear, heard

if TYPE_CHECKING:
    from tasks.comparing.robustness import Clips

SONGS_A_CALL = 4
"""Some seconds of work, so that what is around it does not count."""
MOST_LOOKED_AT = 20
"""Folders of songs that the workers of a joined cluster are asked about before they get work."""
_CALLS_A_WORKER = 2


def heard_songs(
    chosen: ChosenModel,
    names: Sequence[str],
    *,
    workers: int | None,
    scheduler: str | None = None,
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
        Child processes that hear at once; without them, and without `scheduler`, one hears all, in
        their order. A local Dask worker would have such a child, too, and take seconds to start.
    scheduler : str, optional
        Of a Dask cluster that is joined; its workers must see the model and the songs.
    overview : bool
        Whether their mel pictures are wanted, too.
    say : callable
        Takes a sentence of the cluster.

    Raises
    ------
    ModelError
        If the model does not open.
    DecoderBroken, DecoderStalled
        If no child starts.
    ClusterLost
        If all workers of the cluster have gone.
    UsageError
        If nothing answers at `scheduler`, or no worker there can do it.
    """
    songs = [Song.of(name) for name in names]
    if not songs:
        return
    if scheduler is not None:
        jobs = _jobs_of(chosen, [each.anywhere for each in songs], overview=overview)
        yield from _on_dask(
            (pickled(hear, job) for job in jobs),
            scheduler=scheduler,
            must_see=_samples(chosen.folder, (each.path for each in songs)),
            say=say,
        )
    elif workers is not None and workers > 1:
        yield from heard_by_children(chosen, songs, children=workers, overview=overview)
    else:
        with chosen.child() as child:
            yield from heard(child, songs, overview=overview)


def disturbed_clips(
    model: Path, clips: Clips, *, workers: int | None, scheduler: str | None
) -> Iterator[DisturbedClip]:
    """Hear clips as they are and disturbed, and yield what each gives as soon as it is known.

    Parameters
    ----------
    model : Path
        The model's folder.
    clips : Clips
    workers : int, optional
        Local Dask workers; one a core by default.
    scheduler : str, optional
        Of a Dask cluster that is joined; its workers must see the model and the clips.

    Raises
    ------
    ModelError
        If the model does not open.
    ClusterLost
        If no worker starts, or all have gone.
    UsageError
        If nothing answers at `scheduler`, or no worker there can do it.
    """
    paths = (resolve(clips.data, path).local_path for _, path in clips.tracks)
    jobs = (
        DisturbedJob(model=model.absolute(), data=clips.data, clips=(clip,))
        for clip in clips.tracks
    )
    yield from _on_dask(
        (pickled(hear_disturbed, job) for job in jobs),
        workers=workers,
        scheduler=scheduler,
        must_see=_samples(model, paths) if scheduler else (),
    )


def _jobs_of(chosen: ChosenModel, songs: Sequence[Song], *, overview: bool) -> Iterator[SongsJob]:
    return (
        SongsJob(
            model=chosen.folder.absolute(),
            songs=tuple(songs[first : first + SONGS_A_CALL]),
            overview=overview,
        )
        for first in range(0, len(songs), SONGS_A_CALL)
    )


def _samples(model: Path, songs: Iterable[Path | None]) -> Iterator[Path]:
    """Give files of this machine that another one must see: the model, one of each folder."""
    yield model.absolute() / PARAMS_FILE
    # a name may be no path at all, of which Path.is_file raises
    there = (path for path in songs if path is not None and os.path.isfile(path))  # noqa: PTH113
    by_folder = {path.parent: path for path in there}
    yield from itertools.islice(by_folder.values(), MOST_LOOKED_AT)


def _on_dask(
    given: Iterable[PickledCall],
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    must_see: Iterable[Path] = (),
    say: Callable[[str], None] | None = None,
) -> Iterator[Any]:
    from flows.engine.cluster import dask_crew
    from flows.engine.crew.requirements import sees

    run, calls = uuid.uuid4().hex[:8], enumerate(given)
    with dask_crew(workers=workers, scheduler=scheduler, say=say) as crew:
        for file in must_see:
            crew.require(sees(file, below=str(file.parent)))
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
