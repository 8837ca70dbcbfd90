"""The names of everything in a store, and the file that says a folder is one.

store.json
catalogues/<id>.parquet
features/<data set>/<preset>-<digest>/  zarr.json  log_mel/  plans/  manifests/  *.parquet
models/<model id>/
predictions/<model id>/<folder>-<hash>.parquet
champion.json
claims/<what>.json
"""

import json
import os
import re
from collections.abc import Mapping
from typing import Any

from storage.errors import AlreadyThere, NotFound, UnknownFormat
from storage.places.address import parse_location
from storage.places.location import Location

FORMAT = 1
ROWS_PER_SHARD = 64
ARRAY = "log_mel"
DIMENSIONS = ("row", "window", "band", "frame")
ABSENT = "absent"
NO_TRACK = -1
_SHARD_OBJECT = re.compile(rf"^{ARRAY}/c/(\d+)/0/0/0$")
_MANIFEST = re.compile(r"^(\d{6,})\.json$")
_PLAN = re.compile(r"^(\d{6,})\.parquet$")


def shard_name(shard: int) -> str:
    """Name a shard's object below its features folder."""
    return f"{ARRAY}/c/{shard}/0/0/0"


def manifest_name(shard: int) -> str:
    """Name a shard's manifest below its features folder."""
    return f"manifests/{shard:06d}.json"


def plan_name(number: int) -> str:
    """Name a plan's table below its features folder."""
    return f"plans/{number:06d}.parquet"


def shard_of_object(name: str) -> int | None:
    """Read the shard's number from its object's name, None if it is none."""
    return _number(_SHARD_OBJECT, name)


def shard_of_manifest(name: str) -> int | None:
    """Read the shard's number from a name in `manifests/`, None if it is none."""
    return _number(_MANIFEST, name)


def plan_number(name: str) -> int | None:
    """Read the plan's number from a name in `plans/`, None if it is none."""
    return _number(_PLAN, name)


def _number(pattern: re.Pattern[str], name: str) -> int | None:
    match = pattern.match(name)
    return int(match[1]) if match else None


def features_folder(store: Location, *, data_set: str, key: str) -> Location:
    """Place one array: `features/<data set>/<preset>-<digest>`."""
    return store / "features" / data_set / key


def models_folder(store: Location) -> Location:
    """Place the models."""
    return store / "models"


def predictions_folder(store: Location) -> Location:
    """Place the tables of predictions."""
    return store / "predictions"


def claim_location(store: Location, what: str) -> Location:
    """Place the claim on `what`, whose slashes become dashes."""
    return store / "claims" / f"{what.replace('/', '-')}.json"


def create_store(
    uri: str | os.PathLike[str] | Location, storage_options: Mapping[str, Any] | None = None
) -> Location:
    """Open a store, making it if there is none.

    Raises
    ------
    UnknownFormat
        If it was made by a version with another layout.
    """
    store = parse_location(uri, storage_options)
    try:
        return open_store(store)
    except NotFound:
        try:
            (store / "store.json").create(json.dumps({"format": FORMAT}).encode() + b"\n")
        except AlreadyThere:
            return open_store(store)
    return store


def open_store(
    uri: str | os.PathLike[str] | Location, storage_options: Mapping[str, Any] | None = None
) -> Location:
    """Open a store that is there.

    Raises
    ------
    NotFound
        If there is none.
    UnknownFormat
        If it was made by a version with another layout.
    """
    store = parse_location(uri, storage_options)
    try:
        text = (store / "store.json").read_first()
    except NotFound:
        raise NotFound(
            f"There is no store at {store.uri} (it has no store.json); name another --store, "
            "or make one with `genre run` or `genre features`."
        ) from None
    try:
        found = json.loads(text)["format"]
    except (ValueError, KeyError, TypeError):
        raise UnknownFormat(
            f"{store.uri}/store.json is not the description of a store; name another --store."
        ) from None
    if found != FORMAT:
        raise UnknownFormat(
            f"The store {store.uri} has format {found!r}, this version knows {FORMAT}: "
            "use the version that made it, or name another --store."
        )
    return store
