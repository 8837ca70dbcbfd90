"""A variable that looks like this program's and is none is told, with what was meant."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from command import Genre

from flows.command import variables
from flows.command.variables import sentences

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("GENRE_STROE", "GENRE_STORE"),
        ("GENRE_STORAGE_OPTION", "GENRE_STORAGE_OPTIONS"),
        ("GENRE_MIRROR_LOGON", "GENRE_MIRROR_LOGIN"),
        ("GENRE_MAX_QUARANTINE", "GENRE_MAX_QUARANTINED"),
        ("GENRE_DEMOS", "GENRE_DEMO"),
        ("Genre_Data", "GENRE_DATA"),
    ],
)
def test_what_is_misspelt_is_named_with_the_nearest(given: str, meant: str) -> None:
    (sentence,) = sentences({given: "a-secret", "GENRE_STORE": "s", "PATH": "/bin"})
    assert sentence.startswith(f"{given} is no variable of this program")
    assert sentence.endswith(f"did you mean {meant}?")
    assert "a-secret" not in sentence


def test_every_variable_of_this_repository_is_known() -> None:
    texts = [
        path.read_text("utf-8")
        for folder in ("flows", "tasks", "storage", "genre_model", "docs", "tests")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in (".py", ".md") and path != Path(__file__)
    ]
    named = {name for text in texts for name in re.findall(r"\bGENRE_[A-Z][A-Z_0-9]+", text)}
    assert "GENRE_STORE" in named
    assert sentences(dict.fromkeys(named - {"GENRE_IDS"}, "")) == []


def test_those_that_are_no_options_are_what_their_modules_say() -> None:
    from flows.command.serving import TOKEN
    from flows.engine.addresses import DEMO
    from flows.engine.fetch_request import LOGIN
    from flows.engine.orphans import MARK as STARTED_BY
    from flows.up.services import MARK as UP
    from storage.archives.http_origin import STALL_LIMIT
    from storage.places.options import VARIABLE as STORAGE_OPTIONS

    said = {DEMO, LOGIN, STARTED_BY, UP, STALL_LIMIT, STORAGE_OPTIONS, TOKEN}
    assert set(variables._OF_OTHERS) == said


@pytest.mark.parametrize("name", ["GENRE_DEMO", "GENRE_STROE"])
def test_looking_at_them_imports_no_prefect(name: str) -> None:
    """What Prefect is asked of must be set before its import, and `make demo` sets GENRE_DEMO."""
    code = (
        "import sys; from flows.command import variables; "
        f"variables.sentences({{{name!r}: ''}}); print('prefect' in sys.modules)"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "False\n"


def test_the_command_warns_and_goes_on(genre: Genre) -> None:
    ended = genre("status", GENRE_STROE="elsewhere")
    assert ended.code == 2
    warning, refusal = ended.err.splitlines()
    assert warning.startswith("warning: GENRE_STROE is no variable")
    assert "genre-store" in refusal
    assert ended.out == ""
