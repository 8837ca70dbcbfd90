"""What a fetch was asked for, checked before anything happens."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from flows.engine.addresses import folder_location
from flows.errors import UsageError
from genre_model.data.fma_archives import ADDRESS, SHA1, archives_of
from storage.archives.address import parse_origin
from storage.archives.http_origin import split_login
from storage.places.address import parse_location
from storage.places.folder import Folder
from storage.places.location import Location
from storage.places.options import StorageOptions
from tasks.fetch import Wanted

LOGIN = "GENRE_MIRROR_LOGIN"
"""Variable with `user:password` of a mirror that asks for one."""


def parse_sha1(pairs: Sequence[str]) -> dict[str, str]:
    """Take `NAME=HEX` apart.

    Raises
    ------
    UsageError
        If one is something else.
    """
    found = {}
    for pair in pairs:
        name, separator, sha1 = pair.partition("=")
        if not separator:
            raise UsageError(f"--sha1 is {pair!r}; give NAME=HEX, as fma_small=0123…")
        found[name.strip()] = sha1.strip()
    return found


def wanted_archives(
    dataset: str,
    to: str,
    *,
    mirror: str | None = None,
    sha1: Mapping[str, str] | None = None,
    stream: bool = False,
    archives: str | None = None,
    options: StorageOptions | None = None,
) -> list[Wanted]:
    """Say which archives are to be fetched from where, the metadata first.

    Parameters
    ----------
    dataset, to, mirror, sha1, stream, archives
        As for `flows.fetch_dataset.fetch_dataset`.
    options : Mapping, optional
        Of s3:// addresses; those of the environment by default.

    Raises
    ------
    UsageError
        If a hash is none, or is given for no archive of FMA; if --archives is no folder; if a
        worker runs the flow and `to` is relative.
    CatalogueError
        If there is no such data set.
    UnknownFormat
        If an address has an unknown scheme.
    """
    names = archives_of(dataset)
    hashes = SHA1 | _checked(sha1 or {})
    address, login = _mirror(mirror) if mirror else (ADDRESS, "")
    data = folder_location(to, options)
    kept = None if stream else _archives_folder(data, archives)
    return [
        Wanted(
            name=name,
            origin=parse_origin(f"{address.rstrip('/')}/{name}.zip", options, login=login),
            sha1=hashes[name],
            data=data,
            archives=kept,
        )
        for name in names
    ]


def hide_login(mirror: str | None) -> str | None:
    """Move the login of an address into the environment, so that no parameter of a run holds it."""
    if mirror is None:
        return None
    plain, login = split_login(mirror)
    if login:
        os.environ[LOGIN] = login
    return plain


def _mirror(address: str) -> tuple[str, str]:
    plain, login = split_login(address)
    if login:
        raise UsageError(
            "the address of the mirror holds a login (not shown), which everyone sees in a run's "
            f"parameters; leave it out and set {LOGIN}=user:password where the run is"
        )
    return plain, os.environ.get(LOGIN, "")


def _checked(given: Mapping[str, str]) -> dict[str, str]:
    for name, sha1 in given.items():
        if name not in SHA1:
            raise UsageError(f"--sha1 names {name!r}; name one of {', '.join(SHA1)}")
        if not re.fullmatch(r"[0-9a-fA-F]{40}", sha1):
            raise UsageError(
                f"--sha1 {name}={sha1} has not 40 hex digits; give what sha1sum prints"
            )
    return {name: sha1.lower() for name, sha1 in given.items()}


def _archives_folder(data: Location, archives: str | None) -> Folder:
    if archives is not None:
        found = parse_location(archives)
    elif isinstance(data, Folder):
        found = data
    else:
        cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
        found = Folder(Path(f"{cache}/fma-genre/archives").expanduser().absolute())
    if not isinstance(found, Folder):
        raise UsageError(f"--archives is {archives}; name a folder, or use --stream to keep none")
    return found
