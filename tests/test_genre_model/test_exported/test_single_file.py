"""One ONNX file says what its model says, from the samples of a song on."""

from __future__ import annotations

import json
import re
from hashlib import sha256
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
from genre_model.exported.single_file import SONG_FILE
from genre_model.exported.single_file.proof import check_same
from genre_model.frontends.backbone import Backbone, NetSpec
from genre_model.frontends.log_mel import DEFAULT, NOTEBOOK, LogMel
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


@pytest.mark.parametrize("rule", RULES)
def test_a_song_without_a_whole_window_is_no_number(rule: str, tmp_path: Path) -> None:
    content = song_file(made_model(tmp_path / "model", rule=rule))
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


def saying(content: bytes, **factors: float) -> bytes:
    """Return a single file whose outputs are so many times what they were."""
    model = onnx.load_from_string(content)
    for name, factor in factors.items():
        (node,) = (each for each in model.graph.node if name in each.output)
        node.output[:] = [f"{name} before"]
        tensor = onnx.numpy_helper.from_array(np.float32(factor), f"{name} factor")
        model.graph.initializer.append(tensor)
        more = onnx.helper.make_node("Mul", [f"{name} before", tensor.name], [name])
        model.graph.node.append(more)
        for user in model.graph.node:
            if user is not model.graph.node[-1] and f"{name} before" not in user.output:
                user.input[:] = [f"{name} before" if each == name else each for each in user.input]
    changed: bytes = model.SerializeToString()
    return changed


@pytest.mark.parametrize("factor", [0.9, np.nan])
def test_one_that_says_something_else_is_given_to_nobody(factor: float, tmp_path: Path) -> None:
    model = made_model(tmp_path / "model")
    content, bundle = song_file(model), load_bundle(model)
    check_same(content, bundle)
    with pytest.raises(ModelError, match=r"song\.onnx says other things than the model of a win"):
        check_same(saying(content, windows=factor), bundle)
    with pytest.raises(ModelError, match=r"song\.onnx joins windows otherwise than the model, by"):
        check_same(saying(content, probabilities=factor), bundle)
    with pytest.raises(ModelError, match=r"song\.onnx is no ONNX file that runs here: .*leave --s"):
        check_same(content[:1000], bundle)


@pytest.mark.parametrize(
    "features",
    [
        LogMel(name="one", windows=10, window_frames=1, window_stride=128),
        LogMel(name="few", windows=5),
        LogMel(name="spread", windows=9, window_frames=100, window_stride=140),
    ],
    ids=lambda each: str(each.name),
)
def test_windows_lie_where_the_model_has_them(features: LogMel, tmp_path: Path) -> None:
    model = made_model(tmp_path / "model", features=features)
    content, predictor = song_file(model), load_model(model)
    length, step = features.cutting.segment_samples
    for count in (step, length - 1, length, length + 1, step + length - 1, step + length):
        song = tmp_path / f"{count}.wav"
        soundfile.write(song, 0.1 * np.random.default_rng(0).normal(size=count), 22_050)
        windows, _ = said(content, song)
        assert len(windows) == predictor.predict(song).windows, count


def test_a_spectrum_that_onnxruntime_gets_wrong_is_refused(tmp_path: Path) -> None:
    features = LogMel(name="odd", n_fft=1_000, hop_length=500)
    model = made_model(tmp_path / "model", features=features)
    with pytest.raises(ModelError, match=r"n_fft of 1000, .* leave --single-file out"):
        song_file(model)


def test_nets_are_joined_in_their_order_whatever_is_in_them(tmp_path: Path) -> None:
    """One has a body that takes a weight from outside it; one gives float64."""
    nets = (with_a_body(), mean_net(2, frames=FRAMES, bands=96, factor=0.1, seed=1), as_double())
    specs = tuple(
        NetSpec(name=f"made{number}", sha256=sha256(net).hexdigest(), output="embedding", values=2)
        for number, net in enumerate(nets)
    )
    features = Backbone(name="made", patches="musicnn", frames=FRAMES, nets=specs)
    model = made_model(tmp_path / "model", features=features, nets=nets)
    song = music(tmp_path / "song.wav", seconds=9, rate=16_000, channels=1)
    expected = load_model(model).predict(song).probabilities
    _, probabilities = said(song_file(model), song)
    assert probabilities.tolist() == pytest.approx([expected[name] for name in GENRES], abs=1e-3)


def with_a_body() -> bytes:
    model = onnx.load_from_string(mean_net(2, frames=FRAMES, bands=96, factor=0.1, seed=2))
    last = model.graph.node.pop()
    inside = onnx.helper.make_node("MatMul", list(last.input), ["inside"])
    body = onnx.helper.make_graph(
        [inside], "body", [], [onnx.helper.make_tensor_value_info("inside", 1, None)]
    )
    true = onnx.numpy_helper.from_array(np.array(True), "true")
    model.graph.initializer.append(true)
    model.graph.node.append(
        onnx.helper.make_node("If", ["true"], ["embedding"], then_branch=body, else_branch=body)
    )
    content: bytes = model.SerializeToString()
    return content


def as_double() -> bytes:
    model = onnx.load_from_string(mean_net(2, frames=FRAMES, bands=96, factor=0.1, seed=3))
    model.graph.node[-1].output[:] = ["single"]
    model.graph.node.append(
        onnx.helper.make_node("Cast", ["single"], ["embedding"], to=onnx.TensorProto.DOUBLE)
    )
    model.graph.output[0].type.tensor_type.elem_type = onnx.TensorProto.DOUBLE
    content: bytes = model.SerializeToString()
    return content


def test_it_says_what_it_needs_and_whose_nets_it_holds(tmp_path: Path) -> None:
    model = made_model(tmp_path / "model", features=NOTEBOOK, threshold=0.6, rule="vote")
    params = json.loads((model / "params.json").read_text())
    (model / "made.licence.txt").write_text("You may.")
    params["files"]["made.licence.txt"] = sha256(b"You may.").hexdigest()
    (model / "params.json").write_text(json.dumps(params))
    says = {
        each.key: json.loads(each.value)
        for each in onnx.load_from_string(song_file(model)).metadata_props
    }
    assert says == {
        "model": "made-1",
        "genres": list(GENRES),
        "sample_rate": 22_050,
        "window_seconds": pytest.approx(258 * 256 / 22_050),
        "window_length_seconds": pytest.approx(256 * 256 / 22_050),
        "rule": "vote",
        "threshold": 0.6,
        "licences": [],
        "licence_texts": {"made.licence.txt": "You may."},
    }


def test_what_is_exported_again_brings_no_single_file_of_before(tmp_path: Path) -> None:
    model = made_model(tmp_path / "model")
    first = exported(load_bundle(model), model="first", metrics=None, single_file=True)
    (tmp_path / "first").mkdir()
    for name, content in first.items():
        (tmp_path / "first" / name).write_bytes(content)
    again = exported(load_bundle(tmp_path / "first"), model="second", metrics=None)
    assert SONG_FILE in first
    assert SONG_FILE not in again


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
