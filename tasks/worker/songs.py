"""Genres of songs, by path or address: in this process, or some of many in a Dask worker's."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from genre_model.hearing.prediction import Prediction
from genre_model.signal.formats import READ
from genre_model.signal.status import Status
from storage.errors import CredentialsRefused, NotFound, Refused, Rewritten, UnknownFormat
from storage.places.address import parse_location
from storage.places.location import Location
from tasks.worker.predicting import PredictingChild


class Hears(Protocol):
    """A model, in this process or in a child."""

    def predict(self, path: str | os.PathLike[str], *, overview: bool = False) -> Prediction:
        """Predict one file."""


@dataclass(frozen=True)
class Song:
    """One file to be heard.

    Attributes
    ----------
    name : str
        As it was given.
    place : Location, optional
        Where an address leads; it travels with the credentials that it needs.
    problem : str
        Why the address leads nowhere, in a sentence.
    absolute : str
        Path of a file, for workers that may run in another folder; by default the name is it.
    """

    name: str
    place: Location | None = None
    problem: str = ""
    absolute: str = ""

    @property
    def path(self) -> Path | None:
        """Return the absolute path of what lies on this machine, or would."""
        return Path(self.name).absolute() if self.name and "://" not in self.name else None

    @property
    def anywhere(self) -> Song:
        """Return the same song for a process that may run in another folder."""
        return self if self.path is None else replace(self, absolute=str(self.path))

    @classmethod
    def of(cls, name: str) -> Song:
        """Take a path or an address."""
        if "://" not in name:
            return cls(name)
        try:
            return cls(name, parse_location(name))
        except (Refused, UnknownFormat) as error:
            return cls(name, problem=str(error))


@dataclass(frozen=True, kw_only=True)
class SongsJob:
    """All that a worker needs for some songs.

    Attributes
    ----------
    model : Path
        The model's folder, as the worker sees it.
    songs : tuple[Song, ...]
    overview : bool
        Whether their mel pictures are wanted, too.
    """

    model: Path
    songs: tuple[Song, ...]
    overview: bool = False


def hear(job: SongsJob) -> list[Prediction]:
    """Predict the songs of a job in this worker's child, which is kept for the next ones."""
    return list(heard(child_of(job.model), job.songs, overview=job.overview))


def heard(model: Hears, songs: Sequence[Song], *, overview: bool = False) -> Iterator[Prediction]:
    """Predict songs one after another; a bad one is a line with its status.

    Parameters
    ----------
    model : Hears
    songs : sequence of Song
    overview : bool
        Whether their mel pictures are wanted, too.

    Yields
    ------
    Prediction
        Called as the song is.
    """
    for song in songs:
        yield replace(_heard(model, song, overview), path=song.name)


def predict_at(model: Hears, source: Location, *, overview: bool = False) -> Prediction:
    """Predict the file or object at a location; one that cannot be had gets a status.

    Raises
    ------
    CredentialsRefused
        If nothing of the bucket may be read: that says nothing of this object.
    """
    try:
        with source.local_copy() as copy:
            return replace(_predict(model, copy, overview), path=source.uri)
    except NotFound:
        return Prediction(source.uri, Status.MISSING, f"{source.uri} is not there")
    except CredentialsRefused:
        raise
    except (Refused, Rewritten) as error:
        return Prediction(source.uri, Status.UNREADABLE, str(error))


def _heard(model: Hears, song: Song, overview: bool) -> Prediction:
    if song.problem:
        return Prediction(song.name, Status.UNREADABLE, song.problem)
    if song.place is None:
        path = song.absolute or song.name
        if song.name and os.path.isdir(path):  # noqa: PTH112 - a name may be no path at all
            return Prediction(song.name, Status.MISSING, f"there is no audio file in it; {READ}")
        found = _predict(model, path, overview)
        return replace(found, detail=found.detail.replace(path, song.name)) if path else found
    try:
        return predict_at(model, song.place, overview=overview)
    except Refused as error:
        return Prediction(song.name, Status.UNREADABLE, str(error))


def _predict(model: Hears, path: str | Path, overview: bool) -> Prediction:
    return model.predict(path, overview=True) if overview else model.predict(path)


_kept: dict[Path, PredictingChild] = {}
"""The one child of this worker process, kept from job to job."""


def child_of(model: Path) -> PredictingChild:
    """Return this worker's child for a model, which takes the place of another model's."""
    if model not in _kept:
        for other in _kept.values():
            other.close()
        _kept.clear()
        _kept[model] = PredictingChild(model)
    return _kept[model]
