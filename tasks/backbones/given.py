"""Put anybody's ONNX file into a store as a backbone."""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path

from genre_model.errors import ModelError
from genre_model.frontends import PRESETS
from genre_model.frontends.backbones.known import KNOWN, TOGETHER
from genre_model.frontends.backbones.patches import patches
from genre_model.frontends.frontend import NAME
from genre_model.learning.opening.params import LONGEST_TEXT
from genre_model.printable import printable
from storage.backbones import MOST_BYTES, BackboneRecord
from storage.places.location import Location
from storage.store import Store
from tasks.backbones.presets import BETWEEN, frontend_of


def add_given(
    address: Location, name: str, *, file: Path, frontend: str, output: str, licence: str
) -> BackboneRecord:
    """Add a backbone of an ONNX file, as it is; a store that is not there is made.

    Parameters
    ----------
    address : Location
        The store's.
    name : str
        That it shall have, and the preset with it.
    file : Path
        An ONNX file with one input, [batch, frames, bands], or with a channel behind them.
    frontend : str
        What its patches are of, a name of `PATCHES`.
    output : str
        The tensor that is kept, [batch, ...].
    licence : str
        Its name, or what it says, in 1,000 characters at most.

    Raises
    ------
    ModelError, InvalidSpec
        If the name is taken or cannot be one, there is no such frontend, the file cannot be read
        or does not run, it does not fit the frontend, or the licence is too long.
    NameTaken
        If the store has another backbone of that name.
    """
    _check_name(name)
    _check_said(licence=licence, output=output)
    bands = patches(frontend).mel.n_mels
    content = _read(file)
    from genre_model.frontends.backbones.net import Net

    try:
        net = Net(content, output=output)
    except ModelError as error:
        raise ModelError(f"{file} is no backbone: {error}") from error
    frames, found = net.patch
    if found != bands:
        raise ModelError(
            f"{file} takes patches of {frames} frames x {found} bands, and the frontend "
            f"{frontend!r} makes {bands} bands; name the frontend that it was trained on"
        )
    record = BackboneRecord(
        name=name,
        sha256=sha256(content).hexdigest(),
        size=len(content),
        frontend=frontend,
        frames=frames,
        output=output,
        values=net.values,
        licence=licence,
        source=f"the file {printable(file.name)}",
    )
    frontend_of([record], name=name)  # refuses patches that no clip holds
    Store.create(address).backbones.add(record, content)
    return record


def _check_name(name: str) -> None:
    known = [net for each in KNOWN.values() for net in each.nets]
    if name in (*PRESETS, *KNOWN, *TOGETHER, *known):
        raise ModelError(
            f"{name!r} is the name of a known backbone or preset; give the file another one"
        )
    if not re.fullmatch(NAME, name) or BETWEEN in name:
        raise ModelError(
            f"a backbone cannot be called {name!r}; it becomes part of a file's name, so use "
            "letters, digits, _ and -"
        )


def _check_said(**texts: str) -> None:
    """Refuse what no model's params.json would take."""
    for name, text in texts.items():
        if len(text) > LONGEST_TEXT:
            raise ModelError(
                f"--{name} has {len(text):,} characters, and may have {LONGEST_TEXT:,}; "
                "give its name or an address where it can be read"
            )
        if text != text.encode(errors="replace").decode():
            raise ModelError(
                f"--{name} is '{printable(text)}', which is not UTF-8; say it in UTF-8"
            )


def _read(file: Path) -> bytes:
    try:
        if not file.is_file():
            raise ModelError(f"{file} is not there, or no regular file; name an ONNX file")
        if file.stat().st_size > MOST_BYTES:
            raise ModelError(
                f"{file} has {file.stat().st_size:,} bytes, and an ONNX file without external data "
                f"has {MOST_BYTES:,} at most"
            )
        return file.read_bytes()
    except OSError as error:
        raise ModelError(f"{file} cannot be read: {error.strerror or error}") from error
