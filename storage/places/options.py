"""Options of an object store as a person gives them; never shown again, since they hold secrets."""

import json
import os
from collections.abc import Iterable, Mapping
from typing import Any

from storage.errors import UnknownFormat

StorageOptions = Mapping[str, Any]
"""Options of an object store, by name, as `s3fs.S3FileSystem` takes them; never shown."""

VARIABLE = "GENRE_STORAGE_OPTIONS"

KNOWN: Mapping[str, type] = {
    "anon": bool,
    "client_kwargs": dict,
    "config_kwargs": dict,
    "endpoint_url": str,
    "key": str,
    "profile": str,
    "requester_pays": bool,
    "s3_additional_kwargs": dict,
    "secret": str,
    "token": str,
    "use_ssl": bool,
}
"""Those of `s3fs.S3FileSystem` that say how to reach a bucket, and what each is."""

_KINDS = {bool: "true or false", dict: "a JSON object", str: "a text"}


def parse_options(texts: Iterable[str]) -> StorageOptions:
    """Read options, each a JSON object or one `name=value`; a later one wins.

    Raises
    ------
    UnknownFormat
        If one is neither, or names an option that is not known; the message has no value in it.

    Examples
    --------
    >>> parse_options(['{"anon": true}', "endpoint_url=http://127.0.0.1:9000"])
    {'anon': True, 'endpoint_url': 'http://127.0.0.1:9000'}
    """
    found: dict[str, Any] = {}
    for text in texts:
        found.update(_parse(text.strip()))
    return check_options(found)


def check_options(options: StorageOptions) -> StorageOptions:
    """Give the options back if each is known and of its kind; those that are None are left out.

    Raises
    ------
    UnknownFormat
        If one is not; the message has no value in it.
    """
    found = {name: value for name, value in options.items() if value is not None}
    for name, value in found.items():
        if name not in KNOWN:
            raise UnknownFormat(
                f"The storage option {str(name)[:20]!r} is not known: give {', '.join(KNOWN)}."
            )
        if not isinstance(value, KNOWN[name]):
            raise UnknownFormat(
                f"The storage option {name!r} (not shown) must be {_KINDS[KNOWN[name]]}."
            )
    return found


def given_options() -> StorageOptions:
    """Read the options of the environment (`GENRE_STORAGE_OPTIONS`), {} if there are none."""
    text = os.environ.get(VARIABLE, "").strip()
    return parse_options([text] if text.startswith("{") else text.splitlines())


def give_options(texts: Iterable[str]) -> None:
    """Add options to the environment, where this process and those that it starts find them."""
    os.environ[VARIABLE] = json.dumps({**given_options(), **parse_options(texts)})


def _parse(text: str) -> StorageOptions:
    if not text:
        return {}
    if text.startswith("{"):
        try:
            found = json.loads(text)
        except ValueError:
            found = None
        if isinstance(found, dict):
            return found
        raise UnknownFormat(
            "The storage options (not shown) begin like JSON, but are no JSON object."
        )
    name, separator, value = text.partition("=")
    if not separator or not name.isidentifier():
        raise UnknownFormat(
            "A storage option (not shown) is neither a JSON object nor name=value, "
            "as endpoint_url=http://127.0.0.1:9000."
        )
    if KNOWN.get(name) is bool:
        return {name: {"true": True, "false": False}.get(value.lower(), value)}
    return {name: value}
