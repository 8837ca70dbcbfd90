"""What a Dask worker does for robustness: some clips, heard as they are and disturbed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from genre_model.hearing.prediction import Prediction
from storage.errors import CredentialsRefused, NotFound, Refused
from storage.places.address import resolve
from storage.places.location import Location
from tasks.worker.songs import child_of

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, kw_only=True)
class DisturbedJob:
    """All that a worker needs for some clips.

    Attributes
    ----------
    model : Path
        The model's folder, as the worker sees it.
    data : Location
        The data folder.
    clips : tuple[tuple[int, str], ...]
        Each track's number, and its path below the folder, or an address.
    """

    model: Path
    data: Location
    clips: tuple[tuple[int, str], ...]


@dataclass(frozen=True, kw_only=True)
class DisturbedClip:
    """What was heard of one.

    Attributes
    ----------
    track_id : int
    probabilities : Mapping[str, np.ndarray [shape=(whole windows, genres)]]
        Name of a disturbance -> the windows' probabilities.
    detail : str
        Why nothing was heard; empty otherwise.
    """

    track_id: int
    probabilities: Mapping[str, np.ndarray] = field(default_factory=dict)
    detail: str = ""


def hear_disturbed(job: DisturbedJob) -> list[DisturbedClip]:
    """Hear the clips of a job in this worker's child, which is kept for the next ones.

    Raises
    ------
    CredentialsRefused
        If nothing of the bucket may be read.
    """
    return [_heard(job, track_id, path) for track_id, path in job.clips]


def _heard(job: DisturbedJob, track_id: int, path: str) -> DisturbedClip:
    try:
        with resolve(job.data, path).local_copy() as copy:
            found = child_of(job.model).disturbed(copy, seed=track_id)
    except CredentialsRefused:
        raise
    except (NotFound, Refused) as error:
        return DisturbedClip(track_id=track_id, detail=f"{path}: {error}")
    if isinstance(found, Prediction):
        return DisturbedClip(track_id=track_id, detail=f"{path} is {found.status}: {found.detail}")
    return DisturbedClip(track_id=track_id, probabilities=found)
