"""Variables of the environment that look like this program's and are not: said, not obeyed."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping

from flows import data_options, options, prediction_options, sweep_options
from flows.option import Option

_PREFIX = "GENRE_"
_OF_OTHERS = (
    "GENRE_DEMO",
    "GENRE_MIRROR_LOGIN",
    "GENRE_STALL_LIMIT",
    "GENRE_STARTED_BY",
    "GENRE_STORAGE_OPTIONS",
    "GENRE_TOKEN",
    "GENRE_UP",
)
"""Those that are no option's, as literals: most of their modules import Prefect, which must not be
imported before `environment.prepare`. A test compares them with what the modules say."""

_OF_TESTS = (
    "GENRE_REAL_MUSIC",
    "GENRE_SCREENSHOTS",
    "GENRE_FUZZ",
    "GENRE_LAW",
    "GENRE_WAYS",
    "GENRE_KILLS",
    "GENRE_KILL_SEED",
    "GENRE_FAULT_TEST",
    "GENRE_UP_TEST",
)
"""What tests are set by; the commands that they start inherit it."""


def sentences(environment: Mapping[str, str]) -> list[str]:
    """Say of every variable that begins as this program's do, and is none, which is meant.

    Parameters
    ----------
    environment : Mapping

    Returns
    -------
    list of str
        Sorted by variable; never a value, which may be a secret.
    """
    given = sorted(name for name in environment if name.upper().startswith(_PREFIX))
    known = set(_of_options())
    if set(given) <= known:
        return []
    meant = sorted({*known, *_OF_OTHERS})
    return [_sentence(name, meant) for name in given if name not in {*meant, *_OF_TESTS}]


def _of_options() -> Iterable[str]:
    modules = (data_options, options, prediction_options, sweep_options)
    held = (each for module in modules for each in vars(module).values())
    every = [each for each in held if isinstance(each, Option)]
    return (each.variable for each in every if each.variable is not None)


def _sentence(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name.upper(), known, n=1, cutoff=0.0)
    return f"{name} is no variable of this program and is not heard; did you mean {near[0]}?"
