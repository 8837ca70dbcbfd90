"""Results whose every text does what a name must not do."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Mapping, Sequence
from dataclasses import is_dataclass
from enum import StrEnum
from importlib import import_module
from types import UnionType
from typing import (
    Any,
    ClassVar,
    Literal,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

import numpy as np

FORGED = (
    "\nforged [x](http://evil) ![y](http://evil) <script>alert(1)</script> `code` a|b\n\n# head"
    "\x1b[31m\x9b\u202e\r\x07"
)
"""Tries to be a line of its own, a link, a picture, a script, and to turn a terminal red."""


def hints(kind: type) -> dict[str, Any]:
    """Return the types of a class's fields, also those that its module imports for types only."""
    tree = ast.parse(inspect.getsource(inspect.getmodule(kind)))  # type: ignore[arg-type]
    names = {
        alias.name: getattr(import_module(each.module), alias.name)
        for each in ast.walk(tree)
        if isinstance(each, ast.ImportFrom) and each.module != "__future__"
        for alias in each.names
    }
    return get_type_hints(kind, localns=names)


class Figures(dict[str, Any]):
    """Any figure that is asked for."""

    def __missing__(self, name: str) -> float:
        return 0.5


def hostile(kind: Any, within: tuple[Any, ...] = ()) -> Any:
    """Make a value of a type, whose every text tries to write a line of its own."""
    plain = {str: FORGED, int: 3, float: 0.5, bool: True, object: FORGED, type(None): None}
    origin, inner, within = get_origin(kind), get_args(kind), (*within, kind)
    if kind in plain:
        return plain[kind]
    if origin in (Union, UnionType):
        return hostile(next(each for each in inner if each is not type(None)), within)
    if origin is Literal:
        return inner[0]
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return next(iter(kind))
    if origin is tuple:
        return tuple(hostile(each, within) for each in inner if each is not ...)
    if origin is not None and issubclass(origin, Mapping):
        if inner[1] is Any or inner[1] in within:
            return Figures()
        return {hostile(inner[0], within): hostile(inner[1], within)}
    if origin is not None and issubclass(origin, Sequence):
        return [hostile(inner[0], within)]
    if kind is np.ndarray:
        return np.ones((1, 1), np.int64)
    if is_typeddict(kind):
        return {name: hostile(each, within) for name, each in hints(kind).items()}
    assert is_dataclass(kind), kind
    # as they are read, unchecked: what is shown may come from a store that anybody made
    made = object.__new__(kind)
    for name, each in hints(kind).items():
        if get_origin(each) is not ClassVar:
            object.__setattr__(made, name, hostile(each, within))
    return made
