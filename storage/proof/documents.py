"""The one reader of a store's JSON, whoever wrote it: bounded, and of the right types."""

from typing import TypeVar

import msgspec

from storage.errors import Damaged, in_words
from storage.places.location import Location

MOST_BYTES = 64 * 2**20
"""More than any document of a store has: a manifest has some 40 kB, metrics less than 1 MB."""

_Kind = TypeVar("_Kind")


def read_document(place: Location, kind: type[_Kind], *, most: int = MOST_BYTES) -> _Kind:
    """Read a JSON document in one request.

    Parameters
    ----------
    place : Location
    kind : type
        A dataclass, or `dict` where its reader checks the values.
    most : int
        Bytes that it may have.

    Raises
    ------
    NotFound
        If there is none.
    Damaged
        If it is too large, no JSON, nested too deeply, or its values are of other types.
    """
    return parse_document(read_bounded(place, most=most), kind, where=place.uri)


def read_bounded(place: Location, *, most: int = MOST_BYTES) -> bytes:
    """Read a whole content that may have `most` bytes, and no byte more of a larger one.

    Raises
    ------
    NotFound
    Damaged
        If it is larger.
    """
    data = place.read_range(0, most + 1)
    if len(data) > most:
        raise Damaged(f"{place.uri} has more than the {most} bytes that it can have.")
    return data


def parse_document(data: bytes, kind: type[_Kind], *, where: str) -> _Kind:
    """Read JSON as values of a type; `where` is its address, for the sentence.

    Raises
    ------
    Damaged
        As for `read_document`.
    """
    try:
        return msgspec.json.decode(data, type=kind)
    except RecursionError:
        raise Damaged(f"{where} is nested too deeply.") from None
    except ValueError as error:  # msgspec's own among them
        raise Damaged(f"{where} is not what was written there ({error}).") from error


def is_plain(name: str) -> bool:
    """Whether a name that was read may become part of a path: it leads nowhere else."""
    return bool(name) and not name.startswith(".") and "/" not in name and name.isprintable()


def check_plain(name: str, *, what: str) -> str:
    """Return a name that is one part of a path.

    Parameters
    ----------
    name : str
    what : str
        What it should name, as "a model's id".

    Raises
    ------
    Damaged
        If it is more than that.
    """
    if not is_plain(name):
        raise Damaged(f"{in_words(name)!r} is not {what}.")
    return name
