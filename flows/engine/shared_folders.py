"""Folders that Dask workers of other machines must see too, before they are given work there."""

from __future__ import annotations

from flows.engine.crew.crew import Crew
from flows.engine.crew.requirements import sees
from storage.places.location import Location


def require_folder(crew: Crew, folder: Location, sample: Location) -> None:
    """Give work only to workers that see a folder of this machine; nothing is asked of a bucket.

    Parameters
    ----------
    crew : Crew
    folder : Location
        As it is named to the user.
    sample : Location
        A file below it, which is there.

    Raises
    ------
    UsageError
        If no worker sees it.
    """
    if (file := sample.local_path) is not None:
        crew.require(sees(file, below=folder.uri))
