"""What a form says below the fields of a spec: what the spec's docstring says of each."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import is_dataclass
from typing import TYPE_CHECKING, get_args, get_type_hints

if TYPE_CHECKING:
    from pydantic import GetJsonSchemaHandler

_FIELD = re.compile(r"(?P<names>\w+(?:, \w+)*) : [^\[]*(?:\[(?P<allowed>.+)\])?")


def field_docs(kind: type) -> tuple[str, dict[str, str]]:
    """Take the numpydoc docstring of a dataclass apart.

    Returns
    -------
    tuple[str, dict[str, str]]
        Its first paragraph; and what it says of each parameter, in a line,
        with its unit and range.

    Examples
    --------
    >>> from genre_model.recipe import AugmentSpec
    >>> field_docs(AugmentSpec)[1]["gain"]
    'How far a whole window becomes louder or softer at most. (dB, 0 to 40)'
    """
    above, _, below = inspect.cleandoc(kind.__doc__ or "").partition("Parameters\n----------\n")
    told: dict[str, str] = {}
    # a field begins at the margin; what is said of it is indented
    for part in re.split(r"\n(?=\S)", below.strip()):
        head, *lines = part.splitlines()
        found = _FIELD.fullmatch(head)
        if found is None:
            continue
        allowed = [f"({found['allowed']})"] if found["allowed"] else []
        text = " ".join([*(line.strip() for line in lines), *allowed])
        told.update(dict.fromkeys(found["names"].split(", "), text))
    return " ".join(above.split()), told


def tell_fields(kind: type, schema: Mapping[str, object], handler: GetJsonSchemaHandler) -> None:
    """Give each field its own description, in the JSON schemas of a dataclass and what it holds.

    Pydantic gives a dataclass its whole docstring, and its fields nothing.

    Parameters
    ----------
    kind : type
        A dataclass.
    schema : Mapping
        Holds references to the schemas that are changed.
    handler : GetJsonSchemaHandler
        Finds them.
    """
    kinds = {each.__name__: each for each in _held(kind)}
    for reference in _references(schema):
        found = handler.resolve_ref_schema({"$ref": reference})
        if (of := kinds.pop(str(found.get("title")), None)) is None:
            continue
        found["description"], told = field_docs(of)
        for name, field in found["properties"].items():
            if name in told:
                field["description"] = told[name]
            for inner in _references(field):
                tell_fields(of, {"$ref": inner}, handler)


def _held(kind: type) -> Iterator[type]:
    """Yield a dataclass and those that its fields hold."""
    yield kind
    for hint in get_type_hints(kind).values():
        for each in (hint, *get_args(hint)):
            if isinstance(each, type) and is_dataclass(each):
                yield from _held(each)


def _references(schema: object) -> Iterator[str]:
    if isinstance(schema, Mapping):
        if "$ref" in schema:
            yield schema["$ref"]
        for each in schema.values():
            yield from _references(each)
    elif isinstance(schema, list):
        for each in schema:
            yield from _references(each)
