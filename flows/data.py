"""Where the audio is: a folder that the user names, or the built-in data set."""

from __future__ import annotations

import os
from pathlib import Path

from flows import progress
from flows.cluster import dask_client
from flows.errors import UsageError
from genre_model.demo import plan_demo
from storage.locations import Location
from tasks.demo import is_current, is_demo, make_demo

BUILT_IN = "demo"


def demo_folder() -> Path:
    """Return where the built-in data set lies: `GENRE_DEMO`, or the user's cache."""
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(os.environ.get("GENRE_DEMO") or f"{cache}/fma-genre/demo").expanduser().absolute()


def check_demo_folder(folder: Path) -> None:
    """Refuse a folder that is neither the built-in data set nor free for it.

    Raises
    ------
    UsageError
    """
    if folder.is_dir() and not is_demo(folder) and any(folder.iterdir()):
        raise UsageError(
            f"{folder} (GENRE_DEMO) is not empty and not the built-in data set; name another folder"
        )


def data_location(
    data: str, *, workers: int | None = None, scheduler: str | None = None
) -> Location:
    """Return the data folder that `data` names; the built-in data set is made on first use.

    Parameters
    ----------
    data : str
        A folder, an s3:// address, or `demo`.
    workers, scheduler
        As for `dask_client`, which makes the built-in data set.

    Raises
    ------
    UsageError
        If the folder of the built-in data set holds something else.
    """
    if data != BUILT_IN:
        return Location.parse(data)
    folder = demo_folder()
    check_demo_folder(folder)
    if not is_current(folder):
        with (
            dask_client(workers=workers, scheduler=scheduler) as client,
            progress.stage("demo data", total=len(plan_demo().tracks), unit="tracks") as show,
        ):
            make_demo(folder, client=client, track_done=lambda done: show(done, ""))
    return Location.parse(folder)
