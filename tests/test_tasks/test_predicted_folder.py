"""A folder is predicted once: later runs predict what is new or changed, and resume."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from genre_model.predict import Prediction
from genre_model.signal.status import Status
from storage.array.layout import create_store
from storage.errors import NotFound
from storage.places.location import Location
from storage.predictions import PREDICTION_COLUMNS, PredictionTable
from tasks import predicted_folder


@dataclass
class Listener:
    """Takes the place of a model: loud files are Rock, empty ones are bad."""

    heard: list[str] = field(default_factory=list)
    gives_up_after: int = 1_000

    def predict(self, path: Path) -> Prediction:
        if len(self.heard) == self.gives_up_after:
            raise KeyboardInterrupt
        self.heard.append(path.name)
        if not path.read_bytes():
            return Prediction(str(path), Status.EMPTY, "0 bytes")
        return Prediction(
            str(path), Status.OK, "", "Rock", 0.75, {"Rock": 0.75, "Folk": 0.25}, windows=10
        )


@pytest.fixture
def listener(monkeypatch: pytest.MonkeyPatch) -> Listener:
    found = Listener()
    monkeypatch.setattr(predicted_folder, "open_predictor", lambda *_: ("notebook-12345678", found))
    return found


@pytest.fixture
def store(tmp_path: Path) -> Location:
    return create_store(tmp_path / "store")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "new"
    (place / "album").mkdir(parents=True)
    for name in ("a.mp3", "album/b.FLAC", "album/cover.jpg"):
        (place / name).write_bytes(b"sound")
    (place / "c.wav").write_bytes(b"")
    return place


def predict(store: Location, folder: Path, **options: Any) -> dict[str, Any]:
    return predicted_folder.predict_folder.fn(store, Location.parse(folder), **options)


def test_all_audio_files_become_lines_bad_ones_with_their_status(
    store: Location, folder: Path, listener: Listener
) -> None:
    result = predict(store, folder)
    assert (result["files"], result["predicted"], result["ignored"]) == (3, 3, 1)
    assert result["statuses"] == {"ok": 2, "empty": 1}
    assert result["genres"] == {"Rock": 2}
    assert len(listener.heard) == 3
    table = PredictionTable.of(store, model="notebook-12345678", folder=Location.parse(folder))
    assert table.location.uri == result["table"]
    assert list(table.read().columns) == list(PREDICTION_COLUMNS)
    assert list(table.read()["path"]) == ["a.mp3", "album/b.FLAC", "c.wav"]
    assert table.read()["genre"].isna().tolist() == [False, False, True]


def test_a_second_run_predicts_what_is_new_or_changed_and_forgets_what_has_gone(
    store: Location, folder: Path, listener: Listener
) -> None:
    first = predict(store, folder)
    again = predict(store, folder)
    assert (again["predicted"], again["reused"]) == (0, 3)
    assert again["predictions"] == first["predictions"]
    listener.heard.clear()
    (folder / "a.mp3").unlink()
    (folder / "c.wav").write_bytes(b"it has arrived")
    (folder / "d.ogg").write_bytes(b"sound")
    result = predict(store, folder)
    assert sorted(listener.heard) == ["c.wav", "d.ogg"]
    assert [line["path"] for line in result["predictions"]] == ["album/b.FLAC", "c.wav", "d.ogg"]
    assert result["statuses"] == {"ok": 3}
    assert predict(store, folder, refresh=True)["predicted"] == 3


def test_a_run_that_is_cut_off_is_taken_up(
    store: Location, folder: Path, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(predicted_folder, "SAVED_EVERY", 1)
    listener.gives_up_after = 2
    with pytest.raises(KeyboardInterrupt):
        predict(store, folder)
    listener.gives_up_after = 1_000
    assert predict(store, folder)["predicted"] == 1
    assert len(listener.heard) == 3


def test_a_folder_without_audio_is_named(store: Location, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=rf"no audio file in {tmp_path / 'nothing'}"):
        predict(store, tmp_path / "nothing")
