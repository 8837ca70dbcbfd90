"""Templates of pages and Markdown, in which no text from outside does more than show itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from genre_model.printable import as_markdown, printable

if TYPE_CHECKING:
    import jinja2


def environment() -> jinja2.Environment:
    """Make what renders a page, or Markdown in which texts pass through the filter `text`."""
    import jinja2

    made = jinja2.Environment(
        loader=jinja2.PackageLoader("genre_model.judging"),
        autoescape=lambda name: bool(name and name.endswith(".html.j2")),
        undefined=jinja2.StrictUndefined,
        finalize=_harmless,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["percent"] = lambda value: f"{value:.0%}"
    made.filters["between"] = lambda ends: f"{ends[0]:.0%}–{ends[1]:.0%}"
    made.filters["exact"] = lambda value: f"{value:.1%}"
    made.filters["points"] = lambda value: f"{100 * value:+.1f} points"
    made.filters["thousands"] = _for_people
    made.filters["text"] = as_markdown
    return made


def _harmless(value: object) -> object:
    """Escape control characters of names; what is HTML already stays HTML."""
    return type(value)(printable(value)) if isinstance(value, str) else value


def _for_people(value: object) -> str:
    """Write a value for people: digits grouped, long fractions cut."""
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "–"}[value]
    if isinstance(value, int | np.integer):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"
    return str(value)
