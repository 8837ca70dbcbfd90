"""One ONNX file says what its model says, from the samples of a song on."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import onnx
import pytest
import soundfile
from made_model import GENRES, HIGH_HZ, LOW_HZ, made_model, tones
from made_nets import mean_net
from test_exported_folder import FRAMES, FRONTENDS, VALUES, backbone_of, music

from genre_model.errors import ModelError
from genre_model.exported.folder import exported
from genre_model.exported.single_file import proof
from genre_model.exported.single_file.song import SONG_FILE
from genre_model.frontends.log_mel import DEFAULT
from genre_model.judging.rules import RULES
from genre_model.learning.bundle import load_bundle
from genre_model.portable.session import open_session
from genre_model.predict import load_model

DOCS = Path(__file__).parents[3] / "docs" / "predicting.md"


def song_file(folder: Path) -> bytes:
    files = exported(load_bundle(folder), model="made-1", metrics=None, single_file=True)
    return files[SONG_FILE]


def said(content: bytes, path: Path) -> tuple[np.ndarray, np.ndarray]:
    samples, _ = soundfile.read(path, dtype="float32")
    windows, probabilities = open_session(content).run(None, {"samples": samples})
    return windows, probabilities


@pytest.mark.parametrize("name", FRONTENDS)
@pytest.mark.parametrize("seconds", [71.3, 30.0, 6.4])
def test_it_says_what_the_model_says(name: str, seconds: float, tmp_path: Path) -> None:
    features, nets = FRONTENDS[name]
    model = made_model(tmp_path / "model", features=features, nets=nets)
    rate = features.mel.sample_rate
    song = music(tmp_path / "song.wav", seconds=seconds, rate=rate, channels=1)
    expected = load_model(model).predict(song)
    windows, probabilities = said(song_file(model), song)
    table = [[each["probabilities"][genre] for genre in GENRES] for each in expected.timeline]
    assert windows == pytest.approx(np.array(table), abs=1e-3)
    wanted = [expected.probabilities[genre] for genre in GENRES]
    assert probabilities.tolist() == pytest.approx(wanted, abs=1e-3)


@pytest.mark.parametrize("rule", RULES)
def test_windows_are_joined_as_the_model_says(rule: str, tmp_path: Path) -> None:
    model = made_model(tmp_path / "model", rule=rule)
    song = tones(tmp_path / "song.wav", (LOW_HZ, 40), (HIGH_HZ, 25))
    expected = load_model(model).predict(song).probabilities
    _, probabilities = said(song_file(model), song)
    assert probabilities.tolist() == pytest.approx([expected[name] for name in GENRES], abs=1e-3)


def test_a_song_without_a_whole_window_is_no_number(tmp_path: Path) -> None:
    content = song_file(made_model(tmp_path / "model"))
    least = (DEFAULT.window_frames - 1) * DEFAULT.hop_length
    session = open_session(content)
    for count in (0, 1, least - 1):
        windows, probabilities = session.run(None, {"samples": np.ones(count, np.float32)})
        assert windows.shape == (0, len(GENRES))
        assert np.isnan(probabilities).all()
    windows, _ = session.run(None, {"samples": np.ones(least, np.float32)})
    assert windows.shape == (1, len(GENRES))


def test_it_has_standard_operators_and_no_data_beside_it(tmp_path: Path) -> None:
    features, nets = FRONTENDS["yamnet"]
    content = song_file(made_model(tmp_path / "model", features=features, nets=nets))
    model = onnx.load_from_string(content)
    assert {each.domain for each in model.opset_import} <= {"", "ai.onnx.ml"}
    onnx.checker.check_model(model, full_check=True)
    again = made_model(tmp_path / "again", features=features, nets=nets)
    assert song_file(again) == content


def test_networks_of_several_versions_are_joined(tmp_path: Path) -> None:
    net = mean_net(VALUES, frames=FRAMES, bands=96, factor=0.1)
    later = onnx.version_converter.convert_version(onnx.load_from_string(net), 20)
    content: bytes = later.SerializeToString()
    features = backbone_of("musicnn", content)
    model = made_model(tmp_path / "model", features=features, nets=(content,))
    song = music(tmp_path / "song.wav", seconds=9, rate=16_000, channels=1)
    expected = load_model(model).predict(song).probabilities
    _, probabilities = said(song_file(model), song)
    assert probabilities.tolist() == pytest.approx([expected[name] for name in GENRES], abs=1e-3)


def test_one_that_says_something_else_is_given_to_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = made_model(tmp_path / "model")
    monkeypatch.setattr(proof, "CLOSE", -1.0)
    with pytest.raises(ModelError, match=r"song\.onnx says other things than the model, by up to"):
        song_file(model)


def test_the_code_of_the_docs_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", DOCS.read_text(), re.DOTALL)
    monkeypatch.chdir(tmp_path)
    Path("exported").mkdir()
    Path("exported", SONG_FILE).write_bytes(song_file(made_model(tmp_path / "model")))
    time_s = np.arange(10 * 44_100) / 44_100
    soundfile.write("song.mp3", 0.3 * np.sin(2 * np.pi * LOW_HZ * time_s), 44_100)
    exec(code, {})
    told = eval(capsys.readouterr().out)
    assert max(told, key=told.get) == "Low"
