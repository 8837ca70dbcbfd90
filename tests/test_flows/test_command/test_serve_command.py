"""`genre serve`: when a token is needed, which, and where it is told."""

from __future__ import annotations

import io

import pytest

from flows.command import render, serving
from flows.errors import UsageError
from flows.prediction_results import ServeResult


@pytest.fixture(autouse=True)
def _no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(serving.TOKEN, raising=False)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_this_machine_needs_none(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    monkeypatch.setenv(serving.TOKEN, "0123456789abcdef")
    assert serving._token(host) == (None, False)


def test_one_is_made_and_printed_with_the_page() -> None:
    made, is_made = serving._token("0.0.0.0")
    assert is_made
    assert made is not None
    assert len(made) >= serving.LEAST_TOKEN
    assert serving._token("0.0.0.0")[0] != made
    out = io.StringIO()
    render.serving(ServeResult(page="http://x:1/", model="m", workers=1, token=made), out)
    assert f" http://x:1/#token={made}\n" in out.getvalue()


def test_one_that_is_given_is_told_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(serving.TOKEN, "0123456789abcdef")
    assert serving._token("0.0.0.0") == ("0123456789abcdef", False)
    out = io.StringIO()
    render.serving(ServeResult(page="http://x:1/", model="m", workers=1), out)
    assert "token" not in out.getvalue()


@pytest.mark.parametrize("given", ["short", "0123456789abcde", "0123456789 abcdef", "ä" * 16])
def test_a_bad_one_is_refused_without_being_told(
    monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    monkeypatch.setenv(serving.TOKEN, given)
    with pytest.raises(UsageError, match=f"GENRE_TOKEN has {len(given)} characters") as caught:
        serving._token("192.168.1.2")
    assert given not in str(caught.value)
