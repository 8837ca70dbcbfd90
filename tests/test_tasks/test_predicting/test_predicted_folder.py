"""A folder is predicted once: later runs predict what is new or changed, and resume."""

from __future__ import annotations

import hashlib
import os
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from genre_model.hearing.prediction import Passage, Prediction
from genre_model.learning.bundle import Bundle
from genre_model.signal.status import Status
from storage.errors import CredentialsRefused, NotFound, Refused, Rewritten
from storage.places.address import parse_location
from storage.places.folder import Folder
from storage.places.location import Location
from storage.predictions import PREDICTION_COLUMNS
from storage.store import Store
from tasks.predicting import folder as predicted_folder
from tasks.predicting.chosen import ChosenModel
from tasks.predicting.folder import PredictedFolder


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
        seconds = float(len(path.name))
        rock: Passage = {"start": 0.0, "end": seconds, "genre": "Rock", "probability": 0.75}
        return Prediction(
            *(str(path), Status.OK, "", "Rock", 0.75),
            probabilities={"Rock": 0.75, "Folk": 0.25},
            windows=10,
            seconds=seconds,
            passages=[rock],
        )


@pytest.fixture
def listener(monkeypatch: pytest.MonkeyPatch) -> Listener:
    found = Listener()
    _choose(monkeypatch, "notebook-12345678", found)
    return found


def _choose(monkeypatch: pytest.MonkeyPatch, name: str, listener: Listener) -> None:
    """Have a listener take the place of the child that runs the model of that name."""
    bundle = cast(Bundle, SimpleNamespace())
    chosen = ChosenModel(name=name, folder=Path(name), bundle=bundle)
    monkeypatch.setattr(ChosenModel, "of", lambda *_, **__: chosen)
    monkeypatch.setattr(ChosenModel, "child", lambda _self: nullcontext(listener))


@pytest.fixture
def store(tmp_path: Path) -> Location:
    return Store.create(tmp_path / "store")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "new"
    (place / "album").mkdir(parents=True)
    for name in ("a.mp3", "album/b.FLAC", "album/cover.jpg"):
        (place / name).write_bytes(b"sound")
    (place / "c.wav").write_bytes(b"")
    return place


def predict(store: Store, folder: Path, **options: Any) -> PredictedFolder:
    return predicted_folder.predict_folder.fn(store, parse_location(folder), **options)


def test_all_audio_files_become_lines_bad_ones_with_their_status(
    store: Store, folder: Path, listener: Listener
) -> None:
    result = predict(store, folder)
    assert (result.files, result.predicted, result.left_out.counts) == (3, 3, {".jpg": 1})
    assert result.statuses == result.new_statuses == {"ok": 2, "empty": 1}
    assert result.longest == "album/b.FLAC (0:06): 0:00–0:06 Rock"
    assert result.genres == {"Rock": 2}
    assert len(listener.heard) == 3
    table = store.predictions.table(model="notebook-12345678", folder=parse_location(folder))
    assert table.location.uri == result.table
    assert list(table.read().columns) == list(PREDICTION_COLUMNS)
    assert list(table.read()["path"]) == ["a.mp3", "album/b.FLAC", "c.wav"]
    assert table.read()["genre"].isna().tolist() == [False, False, True]


def test_what_is_no_file_or_of_another_format_is_left_out_and_told(
    store: Store, folder: Path, listener: Listener
) -> None:
    os.mkfifo(folder / "pipe.wav")
    (folder / "album" / "loop").symlink_to("..")
    (folder / "song.m4a").write_bytes(b"sound")
    (folder / os.fsdecode(b"caf\xe9.wav")).write_bytes(b"sound")
    told: list[str] = []
    result = predict(store, folder, say=told.append)
    assert (result.files, len(listener.heard)) == (3, 3)
    assert result.to_dict()["left_out"] == {
        **{".jpg": 1, ".m4a": 1},
        **{"link_loop": 1, "name": 1, "no_regular_file": 1},
    }
    assert result.to_dict()["left_out_paths"]["name"] == ["caf\udce9.wav"]  # type: ignore[index]
    assert [sentence for sentence in told if "ffmpeg -i X X.flac" in sentence]
    assert [sentence for sentence in told if r"caf\xe9.wav" in sentence]


def test_a_second_run_predicts_what_is_new_or_changed_and_forgets_what_has_gone(
    store: Store, folder: Path, listener: Listener
) -> None:
    first = predict(store, folder)
    again = predict(store, folder)
    assert (again.predicted, again.reused) == (0, 3)
    assert again.lines == first.lines
    listener.heard.clear()
    (folder / "a.mp3").unlink()
    (folder / "c.wav").write_bytes(b"it has arrived")
    (folder / "d.ogg").write_bytes(b"sound")
    result = predict(store, folder)
    assert sorted(listener.heard) == ["c.wav", "d.ogg"]
    assert [line.path for line in result.lines] == ["album/b.FLAC", "c.wav", "d.ogg"]
    assert result.statuses == {"ok": 3}
    assert predict(store, folder, refresh=True).predicted == 3


def test_a_run_that_is_cut_off_is_taken_up(
    store: Store, folder: Path, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(predicted_folder, "SAVED_EVERY", 1)
    listener.gives_up_after = 2
    with pytest.raises(KeyboardInterrupt):
        predict(store, folder)
    listener.gives_up_after = 1_000
    assert predict(store, folder).predicted == 1
    assert len(listener.heard) == 3


@pytest.mark.parametrize("refresh", [False, True])
def test_a_folder_in_the_place_of_the_table_is_told_and_moved_aside(
    store: Store, folder: Path, listener: Listener, refresh: bool
) -> None:
    first = predict(store, folder)
    table = Path(first.table)
    table.unlink()
    table.mkdir()
    (table / "kept.txt").write_text("somebody's")
    ((_, problem),) = store.verify()
    assert (problem.what, problem.path) == ("predictions damaged", str(table))
    said: list[str] = []
    assert predict(store, folder, say=said.append, refresh=refresh).lines == first.lines
    assert store.verify() == []
    assert [each.read_text() for each in table.parent.rglob("kept.txt")] == ["somebody's"]
    assert len(listener.heard) == 6


def test_a_folder_without_audio_is_named(store: Store, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=rf"no audio file in {tmp_path / 'nothing'}"):
        predict(store, tmp_path / "nothing")
    (tmp_path / "nothing").mkdir()
    (tmp_path / "nothing" / "a.m4a").write_bytes(b"sound")
    with pytest.raises(NotFound, match=r"1 file is of a format that is not read \(1 \.m4a\): WAV,"):
        predict(store, tmp_path / "nothing")


def test_a_file_that_vanished_or_is_refused_is_a_line_and_not_the_end(
    store: Store, folder: Path, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Folder.local_copy

    def local_copy(self: Folder) -> AbstractContextManager[Path]:
        if self.name == "a.mp3":
            raise NotFound(f"There is no file {self.uri}.")
        if self.name == "c.wav":
            raise Refused(f"reading {self.uri} (AccessDenied): it may not be read.")
        return real(self)

    monkeypatch.setattr(Folder, "local_copy", local_copy)
    found = predict(store, folder)
    assert [(line.path, line.status) for line in found.lines] == [
        ("a.mp3", "missing"),
        ("album/b.FLAC", "ok"),
        ("c.wav", "unreadable"),
    ]
    assert len(listener.heard) == 1


def test_a_file_that_is_written_again_while_it_is_read_is_a_line(
    store: Store, folder: Path, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    def local_copy(self: Folder) -> AbstractContextManager[Path]:
        raise Rewritten(f"{self.uri} was written again while it was read.")

    monkeypatch.setattr(Folder, "local_copy", local_copy)
    found = predict(store, folder)
    assert {line.status for line in found.lines} == {"unreadable"}
    assert listener.heard == []


@pytest.mark.parametrize("written", [".", "../model", "{folder}", "{folder}/", "model.keras"])
def test_a_local_model_has_its_own_id_however_it_is_written(
    store: Store,
    folder: Path,
    tmp_path: Path,
    listener: Listener,
    monkeypatch: pytest.MonkeyPatch,
    written: str,
) -> None:
    place = tmp_path / "model"
    place.mkdir()
    (place / "model.keras").write_bytes(b"-")
    monkeypatch.chdir(place)
    name = written.format(folder=place)
    _choose(monkeypatch, name, listener)
    (place / "params.json").write_text('{"id": "default-1a2b3c4d"}')
    predict(store, folder)
    (place / "params.json").write_text('{"id": "../../escaped"}')
    predict(store, folder)
    nameless = hashlib.sha256(str(place).encode()).hexdigest()[:8]
    models = [model for model, _ in store.predictions.tables()]
    assert models == ["default-1a2b3c4d", f"model-{nameless}"]


def test_credentials_that_are_refused_end_it(
    store: Store, folder: Path, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    def local_copy(_self: Folder) -> AbstractContextManager[Path]:
        raise CredentialsRefused("reading (InvalidAccessKeyId): check the credentials.")

    monkeypatch.setattr(Folder, "local_copy", local_copy)
    with pytest.raises(CredentialsRefused):
        predict(store, folder)
    assert listener.heard == []
