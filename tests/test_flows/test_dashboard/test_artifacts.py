"""What the artifacts say, without a server."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from flows.dashboard import artifacts
from genre_model.data.catalogue import COLUMNS, Catalogue
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
