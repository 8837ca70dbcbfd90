"""Songs heard by several children at once: each once, and none left when it ends."""

from __future__ import annotations

import threading
from concurrent.futures import wait
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from limits import STEP_S
from made_model import HIGH_HZ, made_model, tones

from flows.engine.hearing import at_once
from flows.engine.hearing.children import heard_by_children
from genre_model.hearing.prediction import Prediction
from genre_model.signal.status import Status
from tasks.predicting.chosen import ChosenModel
from tasks.worker.errors import DecoderBroken, DecoderEnded
from tasks.worker.predicting import PredictingChild
from tasks.worker.songs import Song


@pytest.fixture(scope="module")
def chosen(tmp_path_factory: pytest.TempPathFactory) -> ChosenModel:
    folder = made_model(tmp_path_factory.mktemp("models") / "made")
    return ChosenModel.of("nowhere", str(folder))


def children_that_hear() -> list[psutil.Process]:
    found = []
    for each in psutil.Process().children():
        with suppress(psutil.Error):  # of another test, which ends just now
            if PredictingChild.module in each.cmdline():
                found.append(each)
    return found


def test_each_song_is_heard_once_and_no_child_is_left(chosen: ChosenModel, tmp_path: Path) -> None:
    names = [tmp_path / f"{number}.wav" for number in range(7)]
    for name in names:
        tones(name, (HIGH_HZ, 4))
    names[3].write_bytes(b"no audio")
    found = [*heard_by_children(chosen, [Song.of(str(name)) for name in names], children=3)]
    assert sorted(each.path for each in found) == sorted(map(str, names))
    assert {each.path for each in found if each.genre is None} == {str(names[3])}
    assert children_that_hear() == []


def test_a_song_that_is_not_there_is_a_line_of_a_single_child(chosen: ChosenModel) -> None:
    (found,) = heard_by_children(chosen, [Song.of("gone.mp3")], children=3)
    assert found.status is Status.MISSING


def test_as_many_songs_as_children_are_heard_at_once(
    chosen: ChosenModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    all_hear = threading.Barrier(3)

    def predict(_child: PredictingChild, path: str) -> Prediction:
        all_hear.wait(STEP_S)
        return Prediction(path, Status.EMPTY)

    monkeypatch.setattr(PredictingChild, "predict", predict)
    songs = [Song.of(f"{number}.mp3") for number in range(6)]
    found = [*heard_by_children(chosen, songs, children=3)]
    assert sorted(each.path for each in found) == [song.name for song in songs]


def test_what_others_gave_comes_before_what_one_raises(
    chosen: ChosenModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    both_hear = threading.Barrier(2)

    def predict(_child: PredictingChild, path: str) -> Prediction:
        both_hear.wait(STEP_S)
        if path == "bad.mp3":
            raise DecoderBroken("the decoder cannot start")
        return Prediction(path, Status.EMPTY)

    monkeypatch.setattr(PredictingChild, "predict", predict)
    monkeypatch.setattr(at_once, "wait", lambda pending, **_: wait(pending))
    found = heard_by_children(chosen, [Song.of("bad.mp3"), Song.of("good.mp3")], children=2)
    assert next(found).path == "good.mp3"
    with pytest.raises(DecoderBroken):
        next(found)


def test_children_that_are_stopped_are_ended_at_once(chosen: ChosenModel, tmp_path: Path) -> None:
    names = [tmp_path / f"{number}.wav" for number in range(40)]
    for name in names:
        tones(name, (HIGH_HZ, 4))
    found = heard_by_children(chosen, [Song.of(str(name)) for name in names], children=2)
    next(found)
    children = children_that_hear()
    assert len(children) == 2
    for each in children:
        each.suspend()
    closing = threading.Thread(target=found.close)
    closing.start()
    closing.join(STEP_S)
    assert not closing.is_alive()
    assert children_that_hear() == []


def test_who_stops_waits_for_no_song(chosen: ChosenModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """One child never answers; the other has, and then nobody asks any more."""
    ended = threading.Event()
    asked: list[str] = []

    def predict(_child: PredictingChild, path: str, *, overview: bool = False) -> Prediction:
        assert not overview
        asked.append(path)
        if path == "slow.mp3":
            assert ended.wait(STEP_S)
            raise DecoderEnded("the decoder was ended")
        return Prediction(path, Status.EMPTY)

    monkeypatch.setattr(PredictingChild, "predict", predict)
    monkeypatch.setattr(PredictingChild, "end", lambda _child: ended.set())
    songs = [Song.of(name) for name in ("slow.mp3", *(f"{n}.mp3" for n in range(50)))]
    found = heard_by_children(chosen, songs, children=2)
    assert next(found).status is Status.EMPTY
    found.close()
    assert len(asked) < 10
