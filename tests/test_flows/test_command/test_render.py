"""Results as a person reads them."""

from __future__ import annotations

import ast
import inspect
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import is_dataclass
from enum import StrEnum
from importlib import import_module
from types import UnionType
from typing import (
    Any,
    ClassVar,
    Literal,
    TextIO,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

import numpy as np
import pytest

from flows import results
from flows.command import render
from flows.errors import joined
from storage.summary import FeaturesSummary


def test_sentences_are_joined_to_one() -> None:
    assert joined(["a is missing.", "b is short", "c is empty. "]) == (
        "a is missing; b is short; c is empty"
    )
    assert joined([]) == ""


def test_an_array_that_was_only_begun_is_a_whole_line() -> None:
    begun = FeaturesSummary(
        key="fma/default-01234567",
        data_set="fma",
        preset="default",
        shards=3,
        open_shards=3,
        tracks={},
        windows=0,
        bytes=0,
        is_finalised=False,
    )
    assert render._of_features(begun) == "3 shards, 3 of them not done, 0.0 MiB; no tracks yet"


FORGED = "\nforged  \x1b[31m\x9b\u202e\r\x07 |<b>"


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


def hostile(kind: Any) -> Any:
    """Make a value of a type, whose every text tries to write a line of its own."""
    plain = {str: FORGED, int: 3, float: 0.5, bool: True, object: FORGED, type(None): None}
    origin, inner = get_origin(kind), get_args(kind)
    if kind in plain:
        return plain[kind]
    if origin in (Union, UnionType):
        return hostile(next(each for each in inner if each is not type(None)))
    if origin is Literal:
        return FORGED
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return next(iter(kind))
    if origin is tuple:
        return tuple(hostile(each) for each in inner if each is not ...)
    if origin is not None and issubclass(origin, Mapping):
        return {hostile(inner[0]): hostile(inner[1])}
    if origin is not None and issubclass(origin, Sequence):
        return [hostile(inner[0])]
    if kind is np.ndarray:
        return np.ones((1, 1), np.int64)
    if is_typeddict(kind):
        return {name: hostile(each) for name, each in hints(kind).items()}
    assert is_dataclass(kind), kind
    # as they are read, unchecked: what is shown may come from a store that anybody made
    made = object.__new__(kind)
    for name, each in hints(kind).items():
        if get_origin(each) is not ClassVar:
            object.__setattr__(made, name, hostile(each))
    return made


@pytest.mark.parametrize(
    ("show", "kind"),
    [
        (render.features, results.FeaturesResult),
        (render.fetched, results.FetchResult),
        (render.model, results.TrainResult),
        (render.evaluation, results.EvaluateResult),
        (render.full_run, results.RunResult),
        (render.predictions, results.PredictResult),
        (render.status, results.StatusResult),
        (render.up, results.UpResult),
        (render.down, results.DownResult),
    ],
)
def test_no_name_writes_more_than_its_place_on_a_line(
    show: Callable[[Any, TextIO], None], kind: type
) -> None:
    written = io.StringIO()
    show(hostile(kind), written)
    lines = written.getvalue().split("\n")
    assert any("forged" in line for line in lines)
    assert [line for line in lines if line.startswith("forged") or not line.isprintable()] == []


def test_every_renderer_is_tried() -> None:
    renderers = {
        name
        for name, each in vars(render).items()
        if inspect.isfunction(each) and each.__module__ == render.__name__ and name[0] != "_"
    }
    (mark,) = test_no_name_writes_more_than_its_place_on_a_line.pytestmark
    assert {show.__name__ for show, _ in mark.args[1]} == renderers
