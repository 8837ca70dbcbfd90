"""Options as a person gives them: what is understood, what is refused, and that none is shown."""

from __future__ import annotations

import json
from typing import Any

import pytest

from storage.errors import UnknownFormat
from storage.places.address import parse_location
from storage.places.bucket import Bucket
from storage.places.options import VARIABLE, give_options, given_options, parse_options


def test_json_and_pairs_a_later_one_wins() -> None:
    found = parse_options(
        ['{"key": "a", "client_kwargs": {"verify": false}}', "key=b", "anon=TRUE"]
    )
    assert found == {"key": "b", "client_kwargs": {"verify": False}, "anon": True}
    assert parse_options(["secret=a=b"]) == {"secret": "a=b"}
    assert parse_options([]) == parse_options(["", " "]) == {}


@pytest.mark.parametrize(
    "text", ['{"key": "hush"', "[1]", "hush", "hu-sh=x", "=hush", '{"hush"}', "keyy=hush"]
)
def test_what_is_refused_is_not_shown(text: str) -> None:
    with pytest.raises(UnknownFormat) as caught:
        parse_options([text])
    assert "hush" not in str(caught.value)
    assert caught.value.remedied_by_user


@pytest.mark.parametrize(
    "text",
    [
        '{"key": 17}',
        '{"secret": ["hush"]}',
        '{"client_kwargs": "hush"}',
        "config_kwargs=hush",
        "use_ssl=hush",
    ],
)
def test_each_is_of_its_kind(text: str) -> None:
    with pytest.raises(UnknownFormat, match="must be") as caught:
        parse_options([text])
    assert "hush" not in str(caught.value)


def test_texts_stay_texts_and_nothing_is_left_out() -> None:
    assert parse_options(["secret=true"]) == {"secret": "true"}
    assert parse_options(['{"key": null, "anon": true}']) == {"anon": True}


@pytest.mark.parametrize("options", [{"config_kwargs": {"no": 1}}, {"client_kwargs": {"no": 1}}])
def test_what_botocore_does_not_know(options: dict[str, Any]) -> None:
    with pytest.raises(UnknownFormat, match="botocore does not know"):
        Bucket("box", "x", options).read_bytes()


def test_the_environments_are_those_of_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "key=a\nsecret=b")
    place = parse_location("s3://box/x")
    assert isinstance(place, Bucket)
    assert place.options == {"key": "a", "secret": "b"}
    given = parse_location("s3://box/x", {"key": "c"})
    assert isinstance(given, Bucket)
    assert given.options == {"key": "c"}
    monkeypatch.setenv(VARIABLE, json.dumps({"key": "d"}, indent=1))
    assert given_options() == {"key": "d"}


def test_given_ones_are_added_to_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, '{"key": "a", "secret": "b"}')
    give_options(["key=c"])
    assert given_options() == {"key": "c", "secret": "b"}
