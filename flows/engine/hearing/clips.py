"""Clips that are disturbed on a Dask cluster, and heard there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from flows.engine.hearing.on_dask import called_on_dask, samples
from storage.places.address import resolve
from tasks.worker.disturbed import DisturbedClip, DisturbedJob, hear_disturbed
from tasks.worker.pickled_call import pickled

if TYPE_CHECKING:
    from tasks.comparing.robustness import Clips


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
    yield from called_on_dask(
        (pickled(hear_disturbed, job) for job in jobs),
        workers=workers,
        scheduler=scheduler,
        must_see=samples(model, paths) if scheduler else (),
    )
