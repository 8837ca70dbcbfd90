"""Presets by name: those of the code, and those that the backbones of a store make."""

from __future__ import annotations

from collections.abc import Sequence

from genre_model.errors import InvalidSpec
from genre_model.frontends import PRESETS, Frontend
from genre_model.frontends.backbone import Backbone, NetSpec
from genre_model.frontends.backbones.known import KNOWN, TOGETHER, added_by
from storage.backbones import BackboneRecord
from storage.errors import NotFound
from storage.places.location import Location
from storage.store import Store

BETWEEN = "+"
"""What stands between backbones whose values are to stand side by side."""


def names_of(preset: str) -> tuple[str, ...]:
    """Return the backbones that a preset is made of, in the order of their values.

    Examples
    --------
    >>> names_of("musicnn"), names_of("mtt-vgg+effnet")
    (('mtt-musicnn', 'msd-vgg'), ('mtt-vgg', 'effnet'))
    """
    return TOGETHER.get(preset) or tuple(preset.split(BETWEEN))


def rows_of(preset: str) -> str:
    """Name the array that a preset's rows are kept in, whether there is that preset or not."""
    return PRESETS.get(preset, Backbone).array


def preset_at(address: Location, name: str) -> Frontend:
    """Return the frontend of a name, for a store that need not be there.

    Raises
    ------
    NotFound, InvalidSpec
        As `find_preset`; and if the store, whose backbone it would be, is not there.
    """
    if name in PRESETS:
        return PRESETS[name]
    return find_preset(Store(address), name)


def find_preset(store: Store, name: str) -> Frontend:
    """Return the frontend of a name.

    Parameters
    ----------
    store : Store
        Whose backbones count.
    name : str
        A preset of the code, a backbone's name, or several with a + between them.

    Raises
    ------
    NotFound
        If the store lacks a backbone, with the command that adds it.
    Damaged
        If the file of one was changed.
    InvalidSpec
        If backbones do not go together.
    """
    if name in PRESETS:
        return PRESETS[name]
    names = names_of(name)
    if twice := [each for each in names if names.count(each) > 1]:
        raise InvalidSpec(f"the preset {name!r} names {twice[0]!r} twice; name each backbone once")
    records = [_find(store, each, preset=name) for each in names]
    for each in records:
        store.backbones.check(each)
    first = records[0]
    for other in records[1:]:
        if (other.frontend, other.frames) != (first.frontend, first.frames):
            raise InvalidSpec(
                f"the backbones {first.name!r} and {other.name!r} take other patches "
                f"({_patches(first)}, {_patches(other)}), so that their values cannot stand side "
                "by side; make features of each"
            )
    return frontend_of(records, name=name)


def frontend_of(records: Sequence[BackboneRecord], *, name: str) -> Backbone:
    """Make the frontend of backbones side by side, all of the same patches.

    Raises
    ------
    InvalidSpec
        If a patch does not fit into a clip.
    """
    nets = tuple(
        NetSpec(name=each.name, sha256=each.sha256, output=each.output, values=each.values)
        for each in records
    )
    return Backbone(name=name, patches=records[0].frontend, frames=records[0].frames, nets=nets)


def weights_of(store: Store, frontend: Frontend) -> tuple[Location, ...]:
    """Place the files that a frontend's extractor must be given; none for most."""
    return tuple(store.backbones.location / name for name in frontend.files)


def licences_of(store: Store, frontend: Frontend) -> list[dict[str, str]]:
    """Say whose nets a frontend is made of, for a model's params.json; none for most."""
    return [
        {
            "name": each.name,
            "sha256": each.sha256,
            "licence": each.licence,
            "source": each.source,
            "citation": each.citation,
        }
        for _, each in _nets_of(store, frontend)
    ]


def licence_texts_of(store: Store, frontend: Frontend) -> dict[str, str]:
    """Return the whole texts of the licences of a frontend's nets, by file of a model's folder."""
    return {
        net.licence_file: each.licence_text
        for net, each in _nets_of(store, frontend)
        if each.licence_text
    }


def _nets_of(store: Store, frontend: Frontend) -> list[tuple[NetSpec, BackboneRecord]]:
    nets = frontend.nets if isinstance(frontend, Backbone) else ()
    return [(net, store.backbones.find(net.name)) for net in nets]


def _find(store: Store, name: str, *, preset: str) -> BackboneRecord:
    try:
        return store.backbones.find(name)
    except NotFound as error:
        add = added_by(name)
        if add == name and name not in KNOWN:
            raise NotFound(
                f"there is no preset {preset!r}: the presets are {', '.join(PRESETS)} and the "
                f"store's backbones, and {error}; name one of them"
            ) from error
        raise NotFound(
            f"{error}; run `genre backbone add {add}` with this --store first"
        ) from error


def _patches(record: BackboneRecord) -> str:
    return f"{record.frontend}, {record.frames} frames"
