"""Which kind of origin an address names."""

from collections.abc import Mapping
from typing import Any

from storage.archives.http_origin import HttpOrigin
from storage.archives.origin import Origin, Stored
from storage.errors import UnknownFormat
from storage.places.address import parse_location


def parse_origin(
    address: str, options: Mapping[str, Any] | None = None, *, login: str = ""
) -> Origin:
    """Give the origin that an address names.

    Parameters
    ----------
    address : str
        `http(s)://`, `file://`, `s3://`, or a path.
    options : Mapping, optional
        Of an `s3://` address; see `storage.places.location.parse_location`.
    login : str
        `user:password` of an `http(s)://` address.

    Raises
    ------
    UnknownFormat
        If the scheme is another one, or the address is not one.
    """
    scheme, separator, _ = address.partition("://")
    if separator and scheme.lower() in ("http", "https"):
        return HttpOrigin.parse(address, login)
    if separator and scheme not in ("file", "s3"):
        raise UnknownFormat(
            f"{address!r} has the scheme {scheme!r}, which is not known: "
            "give http://, https://, file://, s3:// or a folder."
        )
    return Stored(parse_location(address, options))
