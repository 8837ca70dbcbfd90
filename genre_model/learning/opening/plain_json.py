"""JSON from anybody: an object, nested no deeper than it may be, every number finite."""

from __future__ import annotations

import json
import math
from typing import Any

from genre_model.errors import ModelError

Json = dict[str, Any]
"""A JSON object as it was read."""


def plain_object(data: bytes, *, deepest: int) -> Json:
    """Read a JSON object.

    Parameters
    ----------
    data : bytes
        UTF-8.
    deepest : int
        Lists and objects within each other, the outermost counted.

    Raises
    ------
    ModelError
        If it is none; the text says why, as the end of a sentence: `is not JSON (…)`.

    Examples
    --------
    >>> plain_object(b'{"a": [1]}', deepest=2)
    {'a': [1]}
    """
    try:
        content = json.loads(data, parse_float=_finite, parse_constant=_finite)
    except ValueError as error:
        raise ModelError(f"is not JSON ({error})") from None
    except RecursionError:
        raise ModelError(f"is nested deeper than {deepest} lists or objects") from None
    if not isinstance(content, dict):
        raise ModelError(f"is no JSON object, but of {type(content).__name__!r}")
    _check_depth(content, deepest)
    return content


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"the number {text[:40]} is not finite")
    return number


def _check_depth(content: object, deepest: int) -> None:
    level = [content]
    for _ in range(deepest + 1):
        if not level:
            return
        level = [inner for each in level for inner in _within(each)]
    raise ModelError(f"is nested deeper than {deepest} lists or objects")


def _within(value: object) -> list[object]:
    """Return the lists and objects right within a value."""
    if isinstance(value, dict):
        value = list(value.values())
    if not isinstance(value, list):
        return []
    return [each for each in value if isinstance(each, list | dict)]
