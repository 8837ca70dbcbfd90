"""The API for people, made of its OpenAPI description; FastAPI's own page comes from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Template


def html(description: Mapping[str, object]) -> str:
    """Write the page.

    Parameters
    ----------
    description : Mapping
        As /openapi.json has it.
    """
    return _template().render(api=description)


@cache
def _template() -> Template:
    from jinja2 import Environment, FileSystemLoader

    folder = Path(__file__).with_name("page")
    return Environment(loader=FileSystemLoader(folder), autoescape=True).get_template("api.html.j2")
