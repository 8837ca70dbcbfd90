"""The frontends: one file a kind, and what there is by name; importing it imports no numpy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from genre_model.errors import InvalidSpec
from genre_model.frontends.backbone import Backbone
from genre_model.frontends.frontend import Frontend
from genre_model.frontends.log_mel import DEFAULT, NOTEBOOK, LogMel
from genre_model.frontends.mfcc import MFCC, Mfcc

__all__ = ["KINDS", "PRESETS", "Frontend", "frontend_from_dict", "preset"]

KINDS: Mapping[str, type[Frontend]] = {
    "log_mel": LogMel,
    "mfcc": Mfcc,
    "backbone": Backbone,
}
"""Kind -> class, by which a stored frontend is read."""

PRESETS: Mapping[str, Frontend] = {
    "default": DEFAULT,
    "notebook": NOTEBOOK,
    "mfcc": MFCC,
}
"""Name -> frontend, for `--preset`."""


def preset(name: str) -> Frontend:
    """Return the frontend called `name`.

    Raises
    ------
    InvalidSpec
        If there is none of that name.

    Examples
    --------
    >>> preset("default").row_shape
    (10, 128, 128)
    """
    if name not in PRESETS:
        raise InvalidSpec(f"there is no preset {name!r}; the presets are {', '.join(PRESETS)}")
    return PRESETS[name]


def frontend_from_dict(mapping: Mapping[str, Any]) -> Frontend:
    """Make a frontend of any kind from a mapping as its `to_dict` returns it.

    Parameters
    ----------
    mapping : Mapping
        `kind`, and the field names and values of that kind.

    Returns
    -------
    Frontend

    Raises
    ------
    InvalidSpec
        If there is no such kind, a key is not a field of it, or a value is refused.

    Examples
    --------
    >>> frontend_from_dict(preset("default").to_dict()) == preset("default")
    True
    """
    kind = str(mapping.get("kind", ""))
    if kind not in KINDS:
        raise InvalidSpec(
            f"there is no kind of frontend {kind!r}; the kinds are {', '.join(KINDS)}, "
            "and what another version made needs that version"
        )
    return KINDS[kind].from_dict(mapping)
