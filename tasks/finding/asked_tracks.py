"""Which tracks of a data folder were asked for; it imports no Prefect."""

from __future__ import annotations

from typing import TypedDict, Unpack

from genre_model.data.folder import CatalogueOptions
from genre_model.data.tags.genre_map import GenreMap, built_in_map
from genre_model.errors import CatalogueError
from storage.errors import NotFound
from storage.places.address import parse_location
from storage.places.options import StorageOptions
from storage.proof.documents import read_bounded

_LARGEST_MAP = 2**24


class AskedTracks(TypedDict):
    """A command's options on the tracks: as `CatalogueOptions`, but for the map's address."""

    subset: str | None
    layout: str | None
    split_by: str | None
    genre_map: str | None
    min_tracks: int


def asked_tracks(
    subset: str | None,
    layout: str | None,
    split_by: str | None,
    genre_map: str | None,
    min_tracks: int,
) -> AskedTracks:
    """Put the options together, in the order of the command's."""
    return AskedTracks(
        subset=subset,
        layout=layout,
        split_by=split_by,
        genre_map=genre_map,
        min_tracks=min_tracks,
    )


def catalogue_options(
    *, storage: StorageOptions | None = None, **asked: Unpack[AskedTracks]
) -> CatalogueOptions:
    """Make what a layout is asked with of a command's options.

    Parameters
    ----------
    **asked
        See `AskedTracks`; the table of genres is read over the built-in one.
    storage : Mapping, optional
        Of s3:// addresses; those of the environment by default.

    Raises
    ------
    CatalogueError
        If the table is not there, or is none.
    """
    address = asked["genre_map"]
    return CatalogueOptions(
        subset=asked["subset"],
        layout=asked["layout"],
        split_by=asked["split_by"],
        min_tracks=asked["min_tracks"],
        genre_map=None if address is None else _read_map(address, storage),
    )


def _read_map(address: str, storage: StorageOptions | None) -> GenreMap:
    place = parse_location(address, storage)
    try:
        content = read_bounded(place, most=_LARGEST_MAP)
    except NotFound:
        raise CatalogueError(
            f"--genre-map {place.uri} is not there; name a CSV with the columns from and to"
        ) from None
    return built_in_map().with_table(content, name=place.uri)
