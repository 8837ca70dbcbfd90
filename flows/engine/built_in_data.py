"""The built-in data set, made on first use by the workers that will read it."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import IO

from flows.engine import progress
from flows.engine.cluster import dask_crew
from flows.engine.crew.requirements import sees
from flows.errors import UsageError
from genre_model.demo import plan_demo
from storage.places.folder import explained
from tasks.demo import is_current, is_demo, make_demo


def check_demo_folder(folder: Path) -> None:
    """Refuse a folder that is neither the built-in data set nor free for it.

    Raises
    ------
    UsageError
    """
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} (GENRE_DEMO) is a file, where a folder must be; name a folder")
    if folder.is_dir() and not is_demo(folder) and any(folder.iterdir()):
        raise UsageError(
            f"{folder} (GENRE_DEMO) is not empty and not the built-in data set; name another folder"
        )


def make_demo_data(
    folder: Path, *, workers: int | None = None, scheduler: str | None = None
) -> None:
    """Make the built-in data set, unless it is there.

    Parameters
    ----------
    folder : Path
        `flows.engine.addresses.demo_folder`.
    workers, scheduler
        As for `dask_crew`.

    Raises
    ------
    UsageError
        If the folder holds something else, or a worker of another machine does not see it.
    """
    check_demo_folder(folder)
    if not is_current(folder):
        with (
            dask_crew(workers=workers, scheduler=scheduler) as crew,
            progress.stage("demo data", total=len(plan_demo().tracks), unit="tracks") as show,
            _probe(folder.parent) as probe,
        ):
            crew.require(sees(Path(probe.name), below=str(folder.parent)))
            make_demo(folder, client=crew, track_done=lambda done: show(done, ""))


def _probe(folder: Path) -> IO[bytes]:
    """Make an empty file that goes when it is closed; workers are asked whether they see it."""
    with explained("writing", folder):
        folder.mkdir(parents=True, exist_ok=True)
        return tempfile.NamedTemporaryFile(dir=folder, prefix=".")
