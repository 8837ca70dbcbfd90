"""Folders that Dask workers of other machines must see too, before they are given work there."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flows.engine.crew.crew import Crew
from flows.engine.crew.requirements import sees
from storage.places.folder import explained
from storage.places.location import Location


@contextmanager
def sample_of(folder: Path, *, name: str) -> Iterator[Path]:
    """Yield a file that is in a folder, or would be: `name`, else one beside it that goes again.

    Raises
    ------
    Refused
        If nothing may be written there.
    """
    if (folder / name).is_file():
        yield folder / name
        return
    nearest = next(each for each in (folder, *folder.parents) if each.is_dir())
    with explained("writing", folder):
        probe = tempfile.NamedTemporaryFile(dir=nearest, prefix=".")  # noqa: SIM115 - below
    with probe:
        yield Path(probe.name)


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
