"""What a person says of a recipe: tables of TOML, or one setting as `training.epochs=3`.

[training]                          training.epochs=3
epochs = 3          and as text     ───────┬─────── ┬
name     value, read as TOML reads it
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import fields

from genre_model.errors import InvalidSpec
from genre_model.recipe import TABLES, Recipe
from genre_model.specs import nearest

NAMES = tuple(f"{table}.{each.name}" for table, kind in TABLES.items() for each in fields(kind))
"""Of all settings, as `training.epochs`."""
OF_FITTED = ("model.network", "training.seed", "evaluation.split")
"""Of those that say anything to a network which a solver fits at once."""
OF_PRETRAINED = ("model.application", "model.weights", "training.head_epochs")
"""Of those that say anything only to a network which begins with a pretrained net."""


def read_settings(text: str, *, where: str) -> dict[str, object]:
    """Read a recipe's tables.

    Parameters
    ----------
    text : str
        TOML.
    where : str
        What it is from, for sentences.

    Returns
    -------
    dict
        Name -> value of what is said; the values are not judged.

    Raises
    ------
    InvalidSpec
        If it is no TOML, or says what no recipe has.

    Examples
    --------
    >>> read_settings("training = {epochs = 3}", where="a.toml")
    {'training.epochs': 3}
    """
    try:
        tables = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # a number may be too long for Python, too
        raise InvalidSpec(f"{where} is no TOML: {error}; mend it") from error
    settings: dict[str, object] = {}
    for table, content in tables.items():
        if not isinstance(content, dict):
            raise InvalidSpec(
                f"{where} says {table} outside of a table, where no recipe has anything; the "
                f"nearest is {nearest(table, NAMES)}"
            )
        if table not in TABLES:
            raise InvalidSpec(
                f"{where} has the table [{table}], which no recipe has; the nearest is "
                f"[{nearest(table, TABLES)}]"
            )
        settings |= {f"{table}.{key}": value for key, value in content.items()}
    for name in settings:
        _check_name(name, f"{where} says {name}")
    return settings


def parse_setting(text: str) -> tuple[str, object]:
    """Read one setting; a value that is none of TOML's is a text.

    Raises
    ------
    InvalidSpec
        If it has no value, or no recipe has a setting of that name.

    Examples
    --------
    >>> parse_setting("training.learning_rate=3e-4")
    ('training.learning_rate', 0.0003)
    >>> parse_setting("training.optimiser=adamw")
    ('training.optimiser', 'adamw')
    """
    name, equals, value = (part.strip() for part in text.partition("="))
    if not equals or not value:
        raise InvalidSpec(f"--set {text} gives no value; write it as training.epochs=3")
    _check_name(name, f"--set says {name}")
    try:
        read = tomllib.loads(f"value = {value}")
    except (ValueError, RecursionError):
        return name, value
    return name, read["value"] if len(read) == 1 else value


def make_recipe(settings: Mapping[str, object]) -> Recipe:
    """Make the recipe of some settings; the others have their defaults.

    Raises
    ------
    InvalidSpec
        If a value is refused.
    """
    tables: dict[str, dict[str, object]] = {}
    for name, value in settings.items():
        table, _, key = name.partition(".")
        tables.setdefault(table, {})[key] = value
    return Recipe.from_dict(tables)


def as_toml(recipe: Recipe, *, names: tuple[str, ...] = NAMES) -> str:
    """Write a recipe as TOML, of which `read_settings` and `make_recipe` make the same again.

    What means nothing beside the rest, as SGD's momentum beside Adam, is a comment.

    Parameters
    ----------
    recipe : Recipe
    names : tuple[str, ...]
        The settings to write; all by default.
    """
    lines: list[str] = []
    unused_of = {
        "augmentation": recipe.augmentation.unused(),
        "training": recipe.training.unused(),
    }
    for table, values in recipe.to_dict().items():
        named = dict(values) if isinstance(values, Mapping) else {}
        said = {key: value for key, value in named.items() if f"{table}.{key}" in names}
        if said:
            unused = unused_of.get(table, [])
            told = (f"{'# ' if key in unused else ''}{key} = {_value(said[key])}" for key in said)
            lines += ["", f"[{table}]", *told]
    return "\n".join(lines[1:]) + "\n"


def _value(value: object) -> str:
    """Write a text, a whole number or a number; of JSON's escapes TOML lacks none but DEL's."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return repr(value)


def _check_name(name: str, says: str) -> None:
    if name not in NAMES:
        raise InvalidSpec(f"{says}, which no recipe has; the nearest is {nearest(name, NAMES)}")
