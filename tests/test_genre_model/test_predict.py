"""Prediction of whole files: the features of training, a line a window, a status for bad audio."""

import json
import os
import re
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
import soundfile
from made_nets import FRAMES, mean_net

from genre_model.errors import ModelError
from genre_model.frontends import PRESETS
from genre_model.frontends.backbone import Backbone, NetSpec
from genre_model.frontends.log_mel import DEFAULT, NOTEBOOK, LogMel
from genre_model.learning.inference import window_probabilities
from genre_model.learning.saving import save_bundle
from genre_model.mel import clip_windows
from genre_model.networks import build_network
from genre_model.networks.statistics import InputStatistics
from genre_model.predict import Predictor, load_model
from genre_model.signal.status import Status

GENRES = ("Folk", "Hip-Hop", "Instrumental", "Rock")
RATE = 44_100


def music(seconds: float, *, rate: int = RATE, channels: int = 2, seed: int = 0) -> np.ndarray:
    """Return noise whose colour and level change, so that no two windows are alike."""
    generator = np.random.default_rng(seed)
    noise = generator.normal(0, 0.1, (int(seconds * rate), channels))
    swell = 0.55 + 0.45 * np.sin(np.arange(len(noise)) / rate * 0.9)
    smooth = np.cumsum(noise, axis=0)
    smooth -= smooth.mean(axis=0)
    return (noise * swell[:, None] + 0.01 * smooth / np.abs(smooth).max()).clip(-1, 1)


def built(spec: LogMel, network: str = "default") -> keras.Model:
    return build_network(
        network,
        input_shape=spec.row_shape[1:],
        classes=len(GENRES),
        statistics=InputStatistics(
            np.full(spec.n_mels, -35, np.float32), np.full(spec.n_mels, 12, np.float32)
        ),
        seed=3,
    )


def save(folder: Path, spec: LogMel, network: str = "default") -> Path:
    save_bundle(
        folder / "model.keras",
        model=built(spec, network),
        history=pd.DataFrame({"epoch": [1]}),
        genres=GENRES,
        features=spec,
        network=network,
        details={},
    )
    return folder


@pytest.fixture(scope="module")
def predictor(tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    return load_model(save(tmp_path_factory.mktemp("models") / "default-0a1b2c3d", DEFAULT))


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize(("rate", "channels"), [(44_100, 2), (48_000, 1)])
def test_a_clips_windows_are_those_of_training(
    tmp_path: Path, preset: str, rate: int, channels: int
) -> None:
    path = tmp_path / "clip.wav"
    soundfile.write(path, music(30, rate=rate, channels=channels), rate, subtype="PCM_16")
    trained_on = clip_windows(path.read_bytes(), preset=preset)
    parts = list(PRESETS[preset].build().long_windows(path))
    assert [start for start, _ in parts] == [0.0]
    assert trained_on.windows is not None
    np.testing.assert_array_equal(parts[0][1], trained_on.windows)


def test_a_prediction_is_the_mean_of_its_windows(predictor: Predictor, tmp_path: Path) -> None:
    path = tmp_path / "clip.wav"
    soundfile.write(path, music(30), RATE)
    windows = clip_windows(path).windows
    assert windows is not None
    expected = window_probabilities(built(DEFAULT), windows)
    prediction = predictor.predict(path)
    assert prediction.status is Status.OK
    assert prediction.windows == len(prediction.timeline) == 10
    for place, moment in enumerate(prediction.timeline):
        assert moment["start"] == pytest.approx(place * 128 * 512 / 22_050)
        assert moment["end"] - moment["start"] == pytest.approx(128 * 512 / 22_050)
        assert moment["genre"] == GENRES[expected[place].argmax()]
        assert moment["probability"] == pytest.approx(expected[place].max(), abs=1e-5)
    mean = expected.mean(axis=0)
    assert prediction.genre == GENRES[mean.argmax()]
    assert prediction.probability == pytest.approx(mean.max(), abs=1e-5)
    assert [prediction.probabilities[name] for name in GENRES] == pytest.approx(mean, abs=1e-5)
    assert next(iter(prediction.probabilities)) == prediction.genre
    assert sum(prediction.probabilities.values()) == pytest.approx(1, abs=1e-5)


def test_a_long_file_is_predicted_from_its_first_sample_to_its_last(
    predictor: Predictor, tmp_path: Path
) -> None:
    path = tmp_path / "long.flac"
    soundfile.write(path, music(95, channels=1), RATE)
    prediction = predictor.predict(path)
    starts = [moment["start"] for moment in prediction.timeline]
    assert prediction.status is Status.OK
    assert prediction.windows == 31
    assert starts == sorted(starts)
    assert np.diff(starts).max() < 3.5
    assert prediction.timeline[-1]["end"] <= 95


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("clip.wav", {}),
        ("clip.flac", {}),
        ("clip.ogg", {"format": "OGG", "subtype": "VORBIS"}),
        ("clip.mp3", {"format": "MP3"}),
    ],
)
def test_every_format_of_libsndfile_is_read(
    predictor: Predictor, tmp_path: Path, name: str, options: dict[str, str]
) -> None:
    soundfile.write(tmp_path / name, music(7), RATE, **options)
    prediction = predictor.predict(str(tmp_path / name))
    assert prediction.status is Status.PARTIAL
    assert prediction.windows == 2
    assert prediction.genre in GENRES
    assert prediction.path == str(tmp_path / name)


def bad_files(folder: Path) -> dict[str, Path]:
    """Make a file for each way of being bad; `missing` is not made."""
    paths = {
        status: folder / f"{status}.wav"
        for status in ("missing", "empty", "undecodable", "short", "silent")
    }
    paths["empty"].write_bytes(b"")
    paths["undecodable"].write_text("no audio in here")
    soundfile.write(paths["short"], music(1.5), RATE)
    soundfile.write(paths["silent"], np.zeros((10 * RATE, 2)), RATE)
    return paths


def test_bad_files_get_their_status_and_no_genre(predictor: Predictor, tmp_path: Path) -> None:
    for status, path in bad_files(tmp_path).items():
        prediction = predictor.predict(path)
        assert str(prediction.status) == status
        assert prediction.detail
        assert (prediction.genre, prediction.probability, prediction.windows) == (None, None, 0)
        assert prediction.probabilities == {}
        assert prediction.timeline == []


def test_silence_in_a_piece_does_not_silence_the_rest(predictor: Predictor, tmp_path: Path) -> None:
    path = tmp_path / "late.wav"
    soundfile.write(path, np.concatenate([np.zeros((31 * RATE, 2)), music(10)]), RATE)
    assert predictor.predict(path).status is Status.OK


def test_the_mapping_is_json_with_the_contracts_keys(predictor: Predictor, tmp_path: Path) -> None:
    path = tmp_path / "clip.wav"
    soundfile.write(path, music(7), RATE)
    for each in (predictor.predict(path), predictor.predict(tmp_path / "none.mp3")):
        plain = json.loads(json.dumps(each.to_dict(), allow_nan=False))
        keys = {"path", "status", "genre", "probability", "probabilities", "windows"}
        assert keys <= set(plain)
        assert plain["status"] in set(Status)


def test_what_the_docs_show_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    docs = (Path(__file__).parents[2] / "docs" / "models.md").read_text(encoding="utf-8")
    section = docs.partition("\n## Load a model\n")[2].partition("\n## ")[0]
    blocks = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    save(tmp_path / "model", DEFAULT)
    soundfile.write(tmp_path / "song.mp3", music(12), RATE)
    monkeypatch.chdir(tmp_path)
    for block in blocks:
        exec(block, {})
    first, second, third = capsys.readouterr().out.splitlines()[-3:]
    genre, share = first.split()[:2]
    shown = re.search(rf"'{genre}': np\.float32\(([\d.]+)\)", second)
    assert shown is not None
    assert float(shown[1]) == pytest.approx(float(share), abs=1e-4)
    assert "128, 128]" in second
    assert third == "(None, 128, 128) (1, 4) (128, 513)"


def test_a_folder_and_the_file_in_it_open_the_same_model(tmp_path: Path) -> None:
    folder = save(tmp_path / "notebook-0a1b2c3d", NOTEBOOK, "notebook")
    clip = tmp_path / "clip.wav"
    soundfile.write(clip, music(4), RATE)
    for path in (folder, str(folder), folder / "model.keras"):
        opened = load_model(path)
        assert opened.genres == GENRES
        assert opened.predict(clip).windows == 1


LICENCE = {"name": "made", "licence": "CC BY-NC 4.0", "source": "made", "citation": "none"}
BLOCKED = ("tensorflow", "keras", "librosa", "numba", "prefect", "onnx", "tf2onnx")


def save_on_a_backbone(folder: Path) -> Path:
    """Save `linear` on what a made net says of patches."""
    content = mean_net(6)
    net = NetSpec(name="made", sha256=sha256(content).hexdigest(), output="embedding", values=6)
    spec = Backbone(name="made", patches="musicnn", frames=FRAMES, nets=(net,))
    model = build_network(
        "linear",
        input_shape=(6,),
        classes=len(GENRES),
        statistics=InputStatistics.identity(6),
        seed=3,
    )
    save_bundle(
        folder / "model.keras",
        model=model,
        history=pd.DataFrame({"epoch": [1]}),
        genres=GENRES,
        features=spec,
        network="linear",
        details={"licences": [LICENCE]},
        weights=[content],
    )
    return folder


@pytest.mark.parametrize("features", ["windows", "a backbone"])
def test_neither_tensorflow_nor_librosa_is_imported(tmp_path: Path, features: str) -> None:
    if features == "windows":
        folder = save(tmp_path / "default-0a1b2c3d", DEFAULT)
    else:
        folder = save_on_a_backbone(tmp_path / "linear-0a1b2c3d")
    # also in the child, whose modules nobody else sees
    blocked = tmp_path / "blocked"
    blocked.mkdir()
    for name in BLOCKED:
        (blocked / f"{name}.py").write_text("raise ImportError('blocked')\n")
    path = os.pathsep.join([str(blocked), os.environ.get("PYTHONPATH", "")])
    clip = tmp_path / "clip.wav"
    soundfile.write(clip, music(4), RATE)
    program = """
import sys
from flows.command import predicting
predicting.predict(as_json=True, said=(), store="none", model=sys.argv[1], files=[sys.argv[2]])
heavy = "tensorflow keras librosa numba prefect dask zarr pandas matplotlib sklearn onnx".split()
heavy += "numpy scipy soundfile onnxruntime fsspec pyarrow fastapi".split()  # of the child
print(*[name for name in heavy if name in sys.modules], file=sys.stderr)
"""
    done = subprocess.run(
        [sys.executable, "-c", program, folder, clip],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": path},
    )
    found = json.loads(done.stdout)
    assert found["predictions"][0]["windows"] == 1
    assert found["licences"] == ([] if features == "windows" else [LICENCE])
    assert done.stderr.splitlines()[-1] == ""


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="there is no"):
        load_model(tmp_path / "nowhere")
    with pytest.raises(ModelError, match=r"has no params\.json"):
        load_model(tmp_path)
