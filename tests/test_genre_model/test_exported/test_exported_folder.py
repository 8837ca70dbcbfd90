"""An exported folder says what the model says, where nothing of this project is."""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import json
import re
import subprocess
import sys
import venv
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import soundfile
import yaml
from limits import COMMAND_S
from made_model import GENRES, HIGH_HZ, LOW_HZ, made_model, tones
from made_nets import mean_net

from genre_model.errors import ModelError
from genre_model.exported.card import CARD_FILE
from genre_model.exported.folder import NEEDS, SCRIPT_FILE, exported
from genre_model.frontends import Frontend
from genre_model.frontends.backbone import Backbone, NetSpec
from genre_model.frontends.backbones.patches import PATCHES
from genre_model.frontends.log_mel import DEFAULT, NOTEBOOK
from genre_model.frontends.mfcc import MFCC
from genre_model.judging.judgement import Judgement
from genre_model.judging.rules import RULES
from genre_model.learning.bundle import load_bundle
from genre_model.predict import load_model

VALUES, FRAMES = 5, 96


def net_of(patches: str, **options: bool) -> bytes:
    bands = PATCHES[patches].mel.n_mels
    return mean_net(VALUES, frames=FRAMES, bands=bands, factor=0.1, **options)  # type: ignore[arg-type]


def backbone_of(patches: str, content: bytes) -> Backbone:
    sha256 = hashlib.sha256(content).hexdigest()
    net = NetSpec(name="made", sha256=sha256, output="embedding", values=VALUES)
    return Backbone(name="made", patches=patches, frames=FRAMES, nets=(net,))


NETS = {
    "musicnn": net_of("musicnn"),
    "yamnet": net_of("yamnet", channel=True),
    "image": net_of("image"),
}
FRONTENDS: dict[str, tuple[Frontend, tuple[bytes, ...]]] = {
    "default": (DEFAULT, ()),
    "notebook": (NOTEBOOK, ()),
    "mfcc": (MFCC, ()),
    **{name: (backbone_of(name, net), (net,)) for name, net in NETS.items()},
}


def music(path: Path, *, seconds: float, rate: int, channels: int) -> Path:
    """Write noise whose colour and loudness change."""
    generator = np.random.default_rng(1)
    noise = generator.normal(0, 0.1, (int(seconds * rate), channels))
    time_s = np.arange(len(noise)) / rate
    noise *= (0.5 + 0.45 * np.sin(time_s))[:, None]
    noise += (0.2 * np.sin(2 * np.pi * (300 + 40 * time_s) * time_s))[:, None]
    soundfile.write(path, noise.clip(-1, 1), rate, subtype="PCM_16")
    return path


def written(folder: Path, to: Path) -> Path:
    to.mkdir()
    for name, content in exported(load_bundle(folder), model="made-1", metrics=None).items():
        (to / name).write_bytes(content)
    return to


def script_of(folder: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"script_{folder.name}", folder / SCRIPT_FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.whole
@pytest.mark.parametrize("name", FRONTENDS)
def test_the_script_says_what_the_model_says(name: str, tmp_path: Path) -> None:
    features, nets = FRONTENDS[name]
    model = made_model(tmp_path / "model", features=features, nets=nets)
    script = script_of(written(model, tmp_path / name))
    predictor = load_model(model)
    for seconds, rate, channels in ((71.3, 44_100, 2), (30.0, features.mel.sample_rate, 1)):
        song = music(tmp_path / "song.wav", seconds=seconds, rate=rate, channels=channels)
        expected = predictor.predict(song).probabilities
        found = script.predict(song)
        assert set(found) == set(expected)
        assert min(expected.values()) > 0.02
        assert [found[genre] for genre in expected] == pytest.approx(
            list(expected.values()), abs=1e-3
        )


@pytest.mark.parametrize("rule", RULES)
def test_windows_are_joined_as_the_model_says(rule: str, tmp_path: Path) -> None:
    model = made_model(tmp_path / "model", rule=rule)
    song = tones(tmp_path / "song.wav", (LOW_HZ, 40), (HIGH_HZ, 25))
    found = load_model(model).predict(song)
    windows = np.array(
        [[each["probabilities"][name] for name in GENRES] for each in found.timeline]
    )
    expected = Judgement(rule=rule).of_track(windows)
    assert [found.probabilities[name] for name in GENRES] == pytest.approx(expected)
    script = script_of(written(model, tmp_path / "exported"))
    assert script.predict(song) == pytest.approx(found.probabilities, abs=1e-3)


def test_the_script_runs_where_nothing_of_this_project_is(tmp_path: Path) -> None:
    model = made_model(tmp_path / "model")
    folder = written(model, tmp_path / "exported")
    song = music(tmp_path / "song.wav", seconds=12, rate=44_100, channels=2)
    python = _environment(tmp_path / "env")
    run = [python, "-I", folder / SCRIPT_FILE, song]
    done = subprocess.run(run, capture_output=True, text=True, timeout=COMMAND_S, check=True)
    expected = load_model(model).predict(song).probabilities
    assert json.loads(done.stdout)[str(song)] == pytest.approx(expected, abs=1e-3)
    ours = subprocess.run([python, "-I", "-c", "import genre_model"], capture_output=True)
    assert ours.returncode == 1


def _environment(folder: Path) -> Path:
    """Make an environment with what the script needs and nothing else, without an index."""
    venv.create(folder, with_pip=False, symlinks=True)
    (packages,) = (folder / "lib").glob("python*/site-packages")
    for name in _closure(NEEDS):
        for file in importlib.metadata.files(name) or ():
            top = file.parts[0]
            here = Path(str(file.locate())).parents[len(file.parts) - 1] / top
            if top != ".." and top != "__pycache__" and not (packages / top).exists():
                (packages / top).symlink_to(here)
    return folder / "bin" / "python"


def _closure(names: tuple[str, ...]) -> set[str]:
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        needs = [each for each in importlib.metadata.requires(name) or () if "extra ==" not in each]
        waiting += [re.split(r"[^\w.-]", each)[0] for each in needs]
    return found


def test_the_script_is_short_and_imports_what_it_says(tmp_path: Path) -> None:
    folder = written(made_model(tmp_path / "model"), tmp_path / "exported")
    text = (folder / SCRIPT_FILE).read_text()
    assert len(text.splitlines()) < 80
    assert text.index('"ORT_DISABLE_TELEMETRY", "1"') < text.index("import onnxruntime")
    assert "\n# SPDX-License-Identifier: Apache-2.0" in text
    lines = re.findall(r"^(?:import|from) ([\w, ]+?)(?: (?:as|import) .*)?$", text, re.M)
    imported = {name for line in lines for name in line.split(", ")}
    assert imported - set(sys.stdlib_module_names) == set(NEEDS)
    needs = (folder / "requirements.txt").read_text().splitlines()
    assert [line.partition("==")[0] for line in needs] == list(NEEDS)


def test_the_card_has_a_head_for_programs_and_the_worth_with_its_interval(tmp_path: Path) -> None:
    bundle = load_bundle(made_model(tmp_path / "model"))
    metrics = {"track_accuracy": 0.5, "track_accuracy_interval": [0.4, 0.6], "tracks": 96}
    text = exported(bundle, model="made-1", metrics=metrics)[CARD_FILE].decode()
    _, head, rest = text.split("---\n", 2)
    assert yaml.safe_load(head)["pipeline_tag"] == "audio-classification"
    assert "Of 96 test tracks it names 50.0% right (95 % interval 40.0% to 60.0%)." in rest
    assert "not judged" in exported(bundle, model="m", metrics=None)[CARD_FILE].decode()


OWN_CARD = """---
license: other
---
# made-1

## What it is

genre predict --model FOLDER uses it.

## Data and licences

| CC BY-NC-SA 4.0 | 7 |

- The licences of 7 tracks of the catalogue forbid commercial use.

## Where it fails

It is weakest on High.

## What it must not be used for

- To decide about people.
"""


def test_the_card_goes_on_with_the_models_own(tmp_path: Path) -> None:
    bundle = load_bundle(made_model(tmp_path / "model"))
    text = exported(bundle, model="made-1", metrics=None, told=OWN_CARD)[CARD_FILE].decode()
    _, head, rest = text.split("---\n", 2)
    assert yaml.safe_load(head)["license"] == "other"
    headings = re.findall("^## (.*)", rest, re.M)
    assert headings == ["Data and licences", "Where it fails", "What it must not be used for"]
    assert "forbid commercial use" in rest
    assert "- To decide about people.\n" in rest
    assert "genre predict --model" not in rest


def test_what_params_names_is_there_and_what_it_names_only(tmp_path: Path) -> None:
    model = made_model(tmp_path / "model")
    params = json.loads((model / "params.json").read_text())
    (model / "made.licence.txt").write_text("You may.")
    params["files"]["made.licence.txt"] = hashlib.sha256(b"You may.").hexdigest()
    (model / "params.json").write_text(json.dumps(params))
    folder = written(model, tmp_path / "exported")
    said = json.loads((folder / "params.json").read_text())
    assert (folder / "made.licence.txt").read_text() == "You may."
    assert said["files"] == {
        name: hashlib.sha256((folder / name).read_bytes()).hexdigest()
        for name in ("model.onnx", "filters.npy", "made.licence.txt", "script.json")
    }
    assert {**said, "files": None} == {**params, "files": None}
    song = tones(tmp_path / "song.wav", (HIGH_HZ, 5))
    assert load_model(folder).predict(song) == load_model(model).predict(song)


@pytest.mark.parametrize("name", ["model.onnx", "filters.npy", "script.json"])
def test_the_script_opens_what_was_exported_and_nothing_else(name: str, tmp_path: Path) -> None:
    folder = written(made_model(tmp_path / "model"), tmp_path / "exported")
    script_of(folder)
    content = bytearray((folder / name).read_bytes())
    content[-2] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(SystemExit, match=f"{name} is not the file that was exported; copy the"):
        script_of(folder)


def test_a_changed_byte_is_one_sentence(tmp_path: Path) -> None:
    folder = made_model(tmp_path / "model")
    changed = bytearray((folder / "model.onnx").read_bytes())
    changed[-1] ^= 1
    (folder / "model.onnx").write_bytes(changed)
    with pytest.raises(ModelError, match=r"model\.onnx is not the file that was written there"):
        exported(load_bundle(folder), model="made-1", metrics=None)


def test_a_backbone_of_fixed_batch_is_refused(tmp_path: Path) -> None:
    content = mean_net(VALUES, frames=FRAMES, bands=96, batch=4)
    folder = made_model(
        tmp_path / "model", features=backbone_of("musicnn", content), nets=(content,)
    )
    with pytest.raises(ModelError, match="takes 4 patches at once and no other number"):
        exported(load_bundle(folder), model="made-1", metrics=None)
