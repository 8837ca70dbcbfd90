"""What an array says of itself: the group's attributes, sealed, and the two documents they lie in.

zarr.json               the group: what the numbers mean, and the array's metadata once more
<array>/zarr.json       the array: its shape, and how it is cut and compressed
"""

import contextlib
import json
import math
from typing import Any

from storage.array.layout import FORMAT, ArrayLayout, Attributes
from storage.array.shards import array_document, array_rows, group_document
from storage.errors import Damaged, Mismatched, NotFound, UnknownFormat
from storage.places.location import Location
from storage.proof.documents import check_plain, read_bounded, read_document
from storage.proof.seals import Unsealed, check_document, seal_document

DESCRIPTION = "zarr.json"
_OTHER = "It is not written as it was, or does not repeat the array's metadata."
_MENDED = "`genre features --verify` makes it anew."
_MOST_VALUES = 2**26  # of one row: 128 MB, some 400 times what the largest preset has


def as_stored(data_set: str, layout: ArrayLayout, attributes: Attributes) -> Attributes:
    """Give the attributes of a group as they are read again."""
    own = {
        "data_set": data_set,
        "format": FORMAT,
        "array": layout.array,
        "dimensions": list(layout.dimensions),
        "row_shape": list(layout.row_shape),
    }
    found: Attributes = json.loads(json.dumps({**attributes, **own}))
    return found


def group_bytes(location: Location, attributes: Attributes, array: bytes) -> bytes:
    """Write the group's document.

    Parameters
    ----------
    location : Location
        The array's folder, whose name the seal holds.
    attributes : Mapping
        Of `as_stored`.
    array : bytes
        The array's document.
    """
    sealed = seal_document(attributes, of=_name(location))
    return group_document(sealed, str(attributes["array"]), array)


def read_attributes(location: Location, *, must_be_sealed: bool = False) -> Attributes:
    """Read what the numbers of an array mean.

    Parameters
    ----------
    location : Location
        The array's folder.
    must_be_sealed : bool
        Refuse them without a seal, as an older version wrote them.

    Raises
    ------
    NotFound
        If there is no array.
    Unsealed
        If they must have a seal, and have none.
    UnknownFormat
        If another version wrote them.
    Damaged
        If they are not as they were written.
    """
    attributes = _as_it_lies(location)
    layout_of(location, attributes)  # what another version wrote is told as that
    try:
        return check_document(attributes, of=_name(location), where=_where(location))
    except Unsealed:
        if must_be_sealed:
            raise
        return attributes
    except Damaged as error:
        raise Damaged(f"{error} {_MENDED}") from error


def check_version(location: Location) -> None:
    """Refuse an array that another version wrote; one that is damaged or gone passes.

    Raises
    ------
    UnknownFormat
    """
    with contextlib.suppress(NotFound, Damaged):
        attributes = _as_it_lies(location)
        with contextlib.suppress(Unsealed):
            check_document(attributes, of=_name(location), where=_where(location))
        layout_of(location, attributes)


def layout_of(location: Location, attributes: Attributes) -> ArrayLayout:
    """Read what the rows of an array are.

    Raises
    ------
    UnknownFormat
        If it does not tell, or has the format of another version.
    Damaged
        If what it tells cannot be.
    """
    where = _where(location)
    found_format = attributes.get("format", FORMAT)
    if found_format != FORMAT:
        raise UnknownFormat(
            f"{where} says format {found_format!r}, this version knows {FORMAT}: "
            "use the version that made it, or delete that folder to have its features made anew."
        )
    try:
        found = ArrayLayout(
            array=str(attributes["array"]),
            dimensions=tuple(map(str, attributes["dimensions"])),
            row_shape=tuple(int(length) for length in attributes["row_shape"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise UnknownFormat(
            f"{where} does not say what its array is (no {error}), as another "
            "version wrote it: delete that folder to have its features made anew, or name "
            "another --store."
        ) from None
    check_plain(found.array, what=f"the name of an array ({where})")
    shape = found.row_shape
    is_possible = shape and min(shape) > 0 and math.prod(shape) <= _MOST_VALUES
    if not is_possible or len(found.dimensions) != len(shape):
        raise Damaged(f"{where} tells of rows of shape {list(shape)}, which cannot be.")
    return found


def check_is(location: Location, wanted: Attributes) -> None:
    """Refuse an array whose numbers mean something else.

    Raises
    ------
    Mismatched, UnknownFormat, Damaged
    """
    there = read_attributes(location)
    if there != wanted:
        raise Mismatched(
            f"{location.uri} was made from another spec than the one given, under the "
            "same name; name another store."
        )


def group_fault(location: Location, layout: ArrayLayout) -> str:
    """Say what is wrong with the group's document; nothing if it is as it was written."""
    try:
        attributes = read_attributes(location, must_be_sealed=True)
        document = location / layout.array / DESCRIPTION
        array, found = read_bounded(document), read_bounded(location / DESCRIPTION)
        if array_rows(array, layout, where=document.uri) % layout.shard_shape[0] == 0:
            return "" if found == group_bytes(location, attributes, array) else _OTHER
    except (NotFound, Damaged, UnknownFormat) as error:
        return str(error)
    return _OTHER


def array_length(location: Location, layout: ArrayLayout) -> int:
    """Read how many rows an array has.

    Raises
    ------
    NotFound, Damaged
        Of which the latter says what mends it.
    """
    document = location / layout.array / DESCRIPTION
    try:
        return array_rows(read_bounded(document), layout, where=document.uri)
    except Damaged as error:
        raise Damaged(f"{error} {_MENDED}") from error


def array_fault(location: Location, layout: ArrayLayout, *, at_least: int, at_most: int) -> str:
    """Say what is wrong with the array's document; nothing if it is as it was written.

    Parameters
    ----------
    location : Location
        The array's folder.
    layout : ArrayLayout
    at_least, at_most : int
        Rows that were written, and rows that were planned.
    """
    try:
        document = location / layout.array / DESCRIPTION
        found = read_bounded(document)
        length = array_rows(found, layout, where=document.uri)
    except (NotFound, Damaged) as error:
        return str(error)
    if length < at_least:
        return f"The array has {length} rows, though row {at_least - 1} was written."
    whole = -(-at_most // layout.shard_shape[0]) * layout.shard_shape[0]
    if length > whole:
        return f"The array has {length} rows, and plans gave away {at_most}."
    is_as_written = length % layout.shard_shape[0] == 0 and found == array_document(length, layout)
    return "" if is_as_written else "It is not written as it was."


def _as_it_lies(location: Location) -> dict[str, Any]:
    try:
        attributes = read_document(location / DESCRIPTION, dict[str, Any])["attributes"]
    except NotFound:
        raise NotFound(f"There are no features at {location.uri}.") from None
    except KeyError:
        raise Damaged(f"{_where(location)} is not the metadata of features. {_MENDED}") from None
    except Damaged as error:
        raise Damaged(f"{error} {_MENDED}") from error
    if not isinstance(attributes, dict):
        raise Damaged(f"{_where(location)} is not the metadata of features. {_MENDED}")
    return attributes


def _where(location: Location) -> str:
    return (location / DESCRIPTION).uri


def _name(location: Location) -> str:
    return "/".join(location.uri.split("/")[-2:])
