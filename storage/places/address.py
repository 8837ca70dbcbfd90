"""Which location an address means: a folder, `file://` or `s3://bucket/prefix`."""

import os
from pathlib import Path

from storage.errors import UnknownFormat, in_words
from storage.places.bucket import Bucket
from storage.places.folder import Folder
from storage.places.location import Location
from storage.places.options import StorageOptions


def parse_location(
    address: str | os.PathLike[str] | Location,
    storage_options: StorageOptions | None = None,
) -> Location:
    """Give the location that a user named.

    Parameters
    ----------
    address : str | os.PathLike | Location
        A path, `file:///path` or `s3://bucket/prefix`; a location is given back as it is.
    storage_options : Mapping, optional
        Options of `s3fs.S3FileSystem` (`endpoint_url`, `key`, `secret` …), by default those
        of `GENRE_STORAGE_OPTIONS`; what is in neither comes from the usual AWS environment.
        Ignored for a folder.

    Raises
    ------
    UnknownFormat
        If the scheme is another one, the address names no bucket or no folder, or it is not
        UTF-8, which no table, log or other machine could hold.
    """
    if isinstance(address, Location):
        return address
    text = os.fspath(address)
    _check_text(text)
    scheme, separator, rest = text.partition("://")
    if not separator:
        return Folder(_path(text))
    if scheme.lower() == "file":
        return Folder(_path_of_file(text, rest))
    if scheme.lower() == "s3":
        return Bucket.of_address(rest, storage_options)
    raise UnknownFormat(
        f"{text!r} has the scheme {scheme!r}, which is not known: give a folder, file:// or s3://."
    )


def resolve(base: Location, path: str) -> Location:
    """Give the location of a path that stands in a table: below a folder, or an address.

    Parameters
    ----------
    base : Location
        What a relative path is relative to.
    path : str
        Relative, absolute, or `s3://bucket/key`, which has the options of a base that is a bucket,
        else those of the environment.
    """
    if "://" in path:
        return parse_location(path, base.options if isinstance(base, Bucket) else None)
    return Folder(Path(path)) if path.startswith("/") else base / path


def _check_text(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise UnknownFormat(
            f"'{in_words(text)}' is not UTF-8: rename it, or give a link to it whose name is."
        ) from None


def _path(text: str) -> Path:
    if not text.strip():
        raise UnknownFormat(f"{text!r} names no folder: give a folder, file:// or s3://.")
    if text.lower().startswith("s3:"):
        raise UnknownFormat(
            f"{text!r} may be a bucket or a folder: give s3://bucket/prefix or ./{text}."
        )
    try:
        return Path(text).expanduser().absolute()
    except RuntimeError:
        raise UnknownFormat(
            f"{text!r} begins with the home of an unknown user: give the folder's full path."
        ) from None


def _path_of_file(text: str, rest: str) -> Path:
    path = rest.removeprefix("localhost") if rest.startswith("localhost/") else rest
    if not path.startswith("/"):
        raise UnknownFormat(f"{text!r} names no folder of this machine: give file:///folder.")
    return Path(path)
