"""Catalogues at rest: one parquet table each, immutable, with what made it in its metadata."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from storage.array.tables import read_table, write_table
from storage.errors import NotFound
from storage.places.location import Location

_FOLDER = "catalogues"


def write_catalogue(
    store: Location, catalogue_id: str, tracks: pd.DataFrame, *, attributes: Mapping[str, Any]
) -> None:
    """Write a catalogue, unless it is there: its id is the hash of its content.

    Parameters
    ----------
    store : Location
    catalogue_id : str
        `<data set>-<8 hex digits>`.
    tracks : pd.DataFrame
        One line a track.
    attributes : Mapping[str, Any]
        JSON values that come back as `DataFrame.attrs`, besides the time of writing.
    """
    place = _place(store, catalogue_id)
    if place.exists():
        return
    frame = tracks.copy()
    frame.attrs.update(attributes)
    frame.attrs["written"] = datetime.now(UTC).isoformat()
    write_table(place, frame)


def read_catalogue(store: Location, catalogue_id: str) -> pd.DataFrame:
    """Read a catalogue; its attributes are the frame's `attrs`.

    Raises
    ------
    NotFound
        If there is none of that id, naming those that are there.
    """
    try:
        return read_table(_place(store, catalogue_id))
    except NotFound:
        there = ", ".join(catalogue_ids(store)) or "none"
        raise NotFound(
            f"there is no catalogue {catalogue_id!r} in {store.uri} (there: {there})"
        ) from None


def catalogue_ids(store: Location) -> list[str]:
    """List the catalogues' ids, sorted."""
    names = [entry.name for entry in (store / _FOLDER).list()]
    return [name.removesuffix(".parquet") for name in names if name.endswith(".parquet")]


def newest_catalogue(store: Location, *, data: str | None = None) -> str:
    """Name the catalogue that was written last.

    Parameters
    ----------
    store : Location
    data : str, optional
        Address of the data folder that it must be of.

    Raises
    ------
    NotFound
        If there is none.
    """
    ids = catalogue_ids(store)
    if len(ids) == 1 and data is None:
        return ids[0]
    attributes = {name: read_catalogue(store, name).attrs for name in ids}
    fitting = [name for name in ids if data in (None, attributes[name].get("data"))]
    if not fitting:
        of_data = f" of {data}" if data else " yet"
        there = f" (there: {', '.join(ids)})" if ids else ""
        raise NotFound(f"{store.uri} has no catalogue{of_data}{there}; run `genre features` first")
    return max(fitting, key=lambda name: str(attributes[name].get("written", "")))


def _place(store: Location, catalogue_id: str) -> Location:
    return store / _FOLDER / f"{catalogue_id}.parquet"
