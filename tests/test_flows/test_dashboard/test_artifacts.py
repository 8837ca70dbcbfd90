"""What the artifacts say, without a server."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from flows.dashboard import artifacts
from genre_model.data.catalogue import COLUMNS, Catalogue
from genre_model.data.folder import Oddity
from genre_model.data.left_out import LeftOut
from storage.places.address import parse_location
from tasks.catalogue import FoundCatalogue


@pytest.mark.parametrize("artists", [[1, 1], [1, 2], [None, 2]])
def test_the_catalogue_tells_of_shared_artists(
    monkeypatch: pytest.MonkeyPatch, artists: list[int | None]
) -> None:
    made: list[Any] = []
    monkeypatch.setattr(
        artifacts, "create_markdown_artifact", lambda text, **more: made.append((text, more["key"]))
    )
    tracks = pd.DataFrame({column: ["small", "small"] for column in COLUMNS}).assign(
        artist_id=pd.array(artists, dtype="Int64"), artist="Foo", split=["training", "test"]
    )
    found = FoundCatalogue(parse_location("music"), Catalogue("fma", "small", tracks, 0), {})
    artifacts.catalogue(found.summary())
    ((text, key),) = made
    assert key == "catalogue"
    said = "\n- 1 artist has tracks in several splits (as Foo: training, test), which flatters"
    assert (said in text) == (artists == [1, 1])
    assert ("several splits" in text) == (artists == [1, 1])


def test_the_catalogue_tells_what_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    monkeypatch.setattr(
        artifacts, "create_markdown_artifact", lambda text, **_more: made.append(text)
    )
    odd = Oddity(path="rock/caf\udce9\x1b[31m.wav", reason="name", why="its name is not UTF-8")
    left_out = LeftOut.of(["pop/a.m4a", "pop/b.m4a"], [odd])
    tracks = pd.DataFrame({column: ["a\x07|b", "c"] for column in COLUMNS}).assign(
        artist_id=pd.array([1, 2], dtype="Int64"), split=["training", "test"]
    )
    catalogue = Catalogue("music", "full", tracks, 0, left_out)
    artifacts.catalogue(FoundCatalogue(parse_location("music"), catalogue, {}).summary())
    (text,) = made
    assert "\n| .m4a | 2 |\n| name | 1 |\n" in text
    assert "2 files are of a format that is not read (2 .m4a)" in text
    assert r"rock/caf\xe9\x1b[31m.wav" in text
    assert r"| a\x07\|b |" in text
    assert all(line.isprintable() for line in text.split("\n"))


def test_tables_show_names_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []
    monkeypatch.setattr(artifacts, "create_table_artifact", lambda rows, **_more: made.append(rows))
    artifacts.quarantine([{"track_id": 1, "file": "a\x1b\n.wav", "detail": "\udce9"}], total=1)
    assert made == [[{"track_id": 1, "file": r"a\x1b\n.wav", "detail": r"\xe9"}]]
