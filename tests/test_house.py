"""The house stays as it was built: folders that can be read, modules that fit, types that say."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

from genre_model.data.built_in import BUILT_IN

HOUSE = Path(__file__).parents[1]
ROOMS = ("flows", "tasks", "storage", "genre_model")
MODULES = [path for room in ROOMS for path in sorted((HOUSE / room).rglob("*.py"))]

MOST_SIDE_BY_SIDE = 18
MOST_LINES = 500
MOST_UNTYPED = 60
NAMELESS = {"utils", "helpers", "common", "misc"}


def test_the_rooms_are_found() -> None:
    assert {path.relative_to(HOUSE).parts[0] for path in MODULES} == {*ROOMS}


def test_no_folder_holds_more_modules_than_one_sees_at_once() -> None:
    modules = [path for path in MODULES if path.name != "__init__.py"]
    beside = Counter(str(path.parent.relative_to(HOUSE)) for path in modules)
    assert {folder: n for folder, n in beside.items() if n > MOST_SIDE_BY_SIDE} == {}


def test_every_module_and_folder_is_named_as_what_it_holds() -> None:
    named = {path: {*path.relative_to(HOUSE).with_suffix("").parts} for path in MODULES}
    assert [str(path) for path, names in named.items() if names & NAMELESS] == []


def test_no_module_is_too_long() -> None:
    lengths = {str(path): len(path.read_text().splitlines()) for path in MODULES}
    assert {path: lines for path, lines in lengths.items() if lines > MOST_LINES} == {}


def test_the_built_in_data_set_is_named_once() -> None:
    named = [
        str(path.relative_to(HOUSE))
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and node.value in (BUILT_IN, f"{BUILT_IN}.json")
    ]
    assert named == ["genre_model/data/built_in.py"]


def test_few_mappings_hold_just_anything() -> None:
    """Count the lines with `[str, Any]`: what has known fields is a dataclass or a TypedDict."""
    untyped = [
        f"{path}:{number}"
        for path in MODULES
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if "[str, Any]" in line
    ]
    assert len(untyped) < MOST_UNTYPED, untyped
