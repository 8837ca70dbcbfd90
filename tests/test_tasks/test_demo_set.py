"""The built-in data set on disk is whole or not there, and nothing else is overwritten."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from genre_model.demo import DEMO_VERSION, plan_demo
from storage.places.address import parse_location
from tasks import demo
from tasks.catalogue import find_catalogue
from tasks.demo import MARK, is_current, make_demo


class HereAndNow:
    """What `make_demo` asks of a Dask client, computed in place."""

    def map(self, call: Callable[..., Any], items: Any, **keywords: Any) -> Iterator[Future[Any]]:
        keywords.pop("pure")
        return [self._done(call(item, **keywords)) for item in items]  # type: ignore[return-value]

    @staticmethod
    def _done(value: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(value)
        return future


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write a byte for each track instead of rendering it, and take futures as they come."""
    monkeypatch.setattr(demo, "render_track", lambda track: b"x" if track.defect is None else None)
    monkeypatch.setattr("distributed.as_completed", lambda futures: iter(futures))


@pytest.mark.usefixtures("quick")
def test_it_is_a_data_folder_of_its_own_data_set(tmp_path: Path) -> None:
    told: list[int] = []
    make_demo(tmp_path / "data", client=HereAndNow(), track_done=told.append)  # type: ignore[arg-type]
    assert told[-1] == len(plan_demo().tracks)
    assert is_current(tmp_path / "data")
    found = find_catalogue.fn(parse_location(tmp_path / "data"))
    assert found.catalogue.id.startswith("demo-")
    assert (len(found.catalogue.tracks), found.catalogue.unlabelled) == (102, 1)
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


@pytest.mark.usefixtures("quick")
def test_an_older_one_is_replaced_and_anything_else_is_refused(tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.mkdir()
    (old / MARK).write_text(json.dumps({"version": DEMO_VERSION - 1}))
    make_demo(old, client=HereAndNow())  # type: ignore[arg-type]
    assert is_current(old)
    other = tmp_path / "other"
    other.mkdir()
    (other / "letter.txt").write_text("dear")
    with pytest.raises(FileExistsError, match="other"):
        make_demo(other, client=HereAndNow())  # type: ignore[arg-type]
    assert (other / "letter.txt").read_text() == "dear"
