"""The addresses that a request names: of data, of a store, of a folder."""

from __future__ import annotations

import os
from pathlib import Path

from flows.errors import UsageError
from genre_model.data.built_in import BUILT_IN
from storage.places.address import parse_location
from storage.places.location import Location
from storage.places.options import StorageOptions

DEMO = "GENRE_DEMO"
"""Variable that names the folder of the built-in data set."""
_WORKERS_RUN = "PREFECT__FLOW_RUN_ID"  # what a worker tells the process of a flow run


def data_location(
    data: str,
    *,
    options: StorageOptions | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
) -> Location:
    """Return the data folder that `data` names; the built-in data set is made on first use.

    Parameters
    ----------
    data : str
        A folder, an s3:// address, or `demo`.
    options : Mapping, optional
        Of an s3:// address; those of the environment by default.
    workers, scheduler
        As for `dask_client`, which makes the built-in data set.

    Raises
    ------
    UsageError
        If the folder of the built-in data set holds something else, or a worker of another
        machine does not see it.
    """
    if data != BUILT_IN:
        return folder_location(data, options)
    from flows.engine.built_in_data import make_demo_data

    folder = demo_folder()
    make_demo_data(folder, workers=workers, scheduler=scheduler)
    return parse_location(folder)


def demo_folder() -> Path:
    """Return where the built-in data set lies: `GENRE_DEMO`, or the user's cache."""
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(os.environ.get(DEMO) or f"{cache}/fma-genre/{BUILT_IN}").expanduser().absolute()


def store_address(store: str) -> str:
    """Return the address of a store, as it is.

    Raises
    ------
    UsageError
        If a worker runs the flow and the address is relative: that folder goes with the run.
    """
    _refuse_relative("store", store)
    return store


def folder_location(folder: str, options: StorageOptions | None = None) -> Location:
    """Return the folder that the user named; see `store_address` for what is refused."""
    _refuse_relative("folder", folder)
    return parse_location(folder, options)


def _refuse_relative(what: str, address: str) -> None:
    is_relative = "://" not in address and not Path(address).expanduser().is_absolute()
    if is_relative and _WORKERS_RUN in os.environ:
        raise UsageError(
            f"the {what} is {address!r}, but a worker runs each flow in a temporary folder; "
            "give an absolute path or an s3:// address"
        )
