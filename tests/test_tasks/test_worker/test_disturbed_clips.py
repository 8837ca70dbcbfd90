"""A worker hears clips disturbed: each decoded once, bad ones told, the plain ones as ever."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from made_model import GENRES, LOW_HZ, made_model, tones

from genre_model.disturbing.disturbances import DISTURBANCES, PLAIN
from genre_model.predict import load_model
from genre_model.signal import waveforms
from storage.places.address import parse_location
from tasks.worker.disturbed import DisturbedClip, DisturbedJob, hear_disturbed

pytestmark = pytest.mark.whole

SECONDS = 9.2
"""Of three windows, and of two where it is faster."""


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> dict[int, DisturbedClip]:
    folder = tmp_path_factory.mktemp("disturbed")
    made_model(folder / "model")
    tones(folder / "data" / "rock" / "low.wav", (LOW_HZ, SECONDS))
    (folder / "data" / "text.wav").write_text("this is no audio")
    clips = ((7, "rock/low.wav"), (8, "text.wav"), (9, "gone.wav"))
    data = parse_location(folder / "data")
    job = DisturbedJob(model=folder / "model", data=data, clips=clips)
    return {each.track_id: each for each in hear_disturbed(job)}


def test_every_disturbance_is_heard(heard: dict[int, DisturbedClip]) -> None:
    found = heard[7].probabilities
    assert list(found) == list(DISTURBANCES)
    windows = {name: len(each) for name, each in found.items()}
    assert windows == {**dict.fromkeys(DISTURBANCES, 3), "faster": 2}
    for each in found.values():
        assert each.shape[1] == len(GENRES)
        assert set(each.argmax(axis=1)) == {GENRES.index("Low")}
    # the made network is as sure of a low tone in every way but beside noise
    assert np.abs(found["noise"] - found[PLAIN]).max() > 1e-6


def test_the_plain_clip_is_heard_as_in_training(
    heard: dict[int, DisturbedClip], tmp_path: Path
) -> None:
    predictor = load_model(made_model(tmp_path / "model"))
    song = tones(tmp_path / "low.wav", (LOW_HZ, SECONDS))
    windows = predictor.extractor.windows(song).windows
    assert windows is not None
    expected = predictor.classifier.probabilities(windows)
    np.testing.assert_allclose(heard[7].probabilities[PLAIN], expected, atol=0.02)


def test_what_cannot_be_heard_is_told(heard: dict[int, DisturbedClip]) -> None:
    assert heard[8].probabilities == heard[9].probabilities == {}
    assert heard[8].detail.startswith("text.wav is undecodable: ")
    assert heard[9].detail.startswith("gone.wav: ")


def test_a_clip_is_decoded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from genre_model.disturbing import listener

    predictor = load_model(made_model(tmp_path / "model"))
    song = tones(tmp_path / "low.wav", (LOW_HZ, SECONDS))
    opened: list[object] = []
    source = waveforms.Source

    def noted(audio: object, **more: object) -> object:
        opened.append(audio)
        return source(audio, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(waveforms, "Source", noted)
    few = {name: DISTURBANCES[name] for name in (PLAIN, "louder", "noise")}
    monkeypatch.setattr(listener, "DISTURBANCES", few)
    found = listener.DisturbedListener(predictor).probabilities(song, seed=1)
    assert list(found) == list(few)
    assert opened[0] == song
    assert [type(each) for each in opened[1:]] == [bytes] * 3
