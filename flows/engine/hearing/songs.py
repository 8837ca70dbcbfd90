"""Many songs: heard by one child process, by several at once, or on a Dask cluster."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence

from flows.engine.hearing.children import heard_by_children
from genre_model.hearing.prediction import Prediction
from tasks.predicting.chosen import ChosenModel
from tasks.worker.pickled_call import pickled
from tasks.worker.songs import Song, SongsJob, hear, heard

SONGS_A_CALL = 4
"""Some seconds of work, so that what is around it does not count."""


def heard_songs(
    chosen: ChosenModel,
    names: Sequence[str],
    *,
    workers: int | None,
    scheduler: str | None = None,
    overview: bool = False,
    say: Callable[[str], None],
) -> Generator[Prediction, None, None]:
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
        # whoever needs no cluster imports no Dask
        from flows.engine.hearing.on_dask import called_on_dask, samples

        yield from called_on_dask(
            (pickled(hear, job) for job in jobs),
            scheduler=scheduler,
            must_see=samples(chosen.folder, (each.path for each in songs)),
            say=say,
        )
    elif workers is not None and workers > 1:
        yield from heard_by_children(chosen, songs, children=workers, overview=overview)
    else:
        with chosen.child() as child:
            yield from heard(child, songs, overview=overview)


def _jobs_of(chosen: ChosenModel, songs: Sequence[Song], *, overview: bool) -> Iterator[SongsJob]:
    return (
        SongsJob(
            model=chosen.folder.absolute(),
            songs=tuple(songs[first : first + SONGS_A_CALL]),
            overview=overview,
        )
        for first in range(0, len(songs), SONGS_A_CALL)
    )
