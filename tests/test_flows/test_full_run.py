"""The whole pipeline by its command, on a data set of seconds."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import numpy as np
import pytest
from command import Commands, Ended, one_after_the_other
from tiny_fma import clip

from genre_model.demo import plan_demo, render_track
from storage import open_features

pytestmark = pytest.mark.whole

FEATURES_KEYS = {
    "key",
    "tracks",
    "written",
    "reused",
    "quarantined",
    "unlabelled",
    "windows",
    "shards",
    "reasons",
    "seconds",
}
TRAIN_KEYS = {
    "model",
    "path",
    "network",
    "parameters",
    "epochs",
    "reused",
    "validation_track_accuracy",
    "validation_window_accuracy",
    "stall_share",
    "windows_per_second",
    "seconds",
}
EVALUATE_KEYS = {
    "model",
    "split",
    "tracks",
    "windows",
    "window_accuracy",
    "track_accuracy",
    "track_accuracy_interval",
    "balanced_accuracy",
    "macro_f1",
    "top2_accuracy",
    "log_loss",
    "calibration_error",
    "leaks",
    "dummy_accuracy",
    "per_genre",
    "report",
}
LOADING = "loading TensorFlow, which takes a while"
EVALUATION_FILES = {
    "metrics.json",
    "predictions.parquet",
    "report.html",
    "card.md",
    "confusion_matrix.png",
    "curves.png",
    "per_genre.png",
}


@dataclass(frozen=True)
class Run:
    """A finished run, and the process that takes the next command."""

    genre: Commands
    store: Path
    first: Ended


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, tiny_fma: Path) -> Iterator[Run]:
    folder = tmp_path_factory.mktemp("run")
    store = folder / "store"
    with one_after_the_other(folder) as genre:
        first = genre("run", "--data", tiny_fma, "--store", store, "--epochs", "20", "--json")
        assert first.code == 0, first.err
        yield Run(genre, store, first)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_stdout_is_one_object_with_the_keys_of_the_contract(run: Run, tiny_fma: Path) -> None:
    result = run.first.json
    assert {"store", "data", "catalogue", "features", "model", "evaluation", "report"} <= set(
        result
    )
    assert set(result["features"]) >= FEATURES_KEYS
    assert set(result["model"]) >= TRAIN_KEYS
    assert 0 < result["model"]["stall_share"] < 1
    assert result["model"]["windows_per_second"] > 0
    is_early = result["model"]["epochs"] < 20
    speed = r"loss \d+\.\d{3}, tracks \d+\.\d%, [\d,]+ windows/s"
    note = r"stopped early, kept epoch \d+ \(\d+\.\d%\)" if is_early else speed
    assert re.search(rf"training: \d+ of 20 epochs, {note}", run.first.err)
    assert run.first.err.splitlines().count(LOADING) == 1
    assert set(result["evaluation"]) >= EVALUATE_KEYS
    assert (result["store"], result["data"]) == (str(run.store), str(tiny_fma))


def test_every_track_is_written_or_quarantined(run: Run) -> None:
    features = run.first.json["features"]
    assert (features["tracks"], features["written"], features["quarantined"]) == (29, 28, 1)
    assert features["reasons"] == {"missing": 1}
    assert features["windows"] == 280


def test_tones_are_told_from_noise_and_the_evaluation_is_in_the_store(run: Run) -> None:
    evaluation = run.first.json["evaluation"]
    assert evaluation["tracks"] == 6
    assert evaluation["track_accuracy"] == 1.0 > evaluation["dummy_accuracy"]
    folder = Path(evaluation["report"]).parent
    assert {path.name for path in folder.iterdir()} >= EVALUATION_FILES
    page = Path(evaluation["report"]).read_text()
    assert "data:image/png;base64," in page
    assert 'src="http' not in page
    champion = json.loads((run.store / "champion.json").read_text())
    assert champion["model"] == run.first.json["model"]["model"]


def test_a_shared_artist_is_told_in_the_result_and_in_the_report(run: Run) -> None:
    said = (
        "1 artist has tracks in several splits (as Artist 100: training, test), which flatters "
        "the accuracy: 1 of the 6 test tracks is by an artist of the training split."
    )
    assert run.first.json["features"]["remarks"] == [said]
    folder = Path(run.first.json["evaluation"]["report"]).parent
    for name in ("report.html", "report.md"):
        assert said in (folder / name).read_text(), name


def test_the_same_command_again_finds_everything_done(run: Run, tiny_fma: Path) -> None:
    before = contents(run.store)
    again = run.genre("run", "--data", tiny_fma, "--store", run.store, "--epochs", "20", "--json")
    assert again.code == 0, again.err
    assert again.json["features"]["written"] == 0
    assert again.json["features"]["reused"] == 28
    assert again.json["model"]["reused"] is True
    assert contents(run.store) == before


def test_a_copy_of_the_folder_is_the_same_data_elsewhere(
    run: Run, tiny_fma: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "copy"
    shutil.copytree(tiny_fma, elsewhere)
    again = run.genre("run", "--data", elsewhere, "--store", run.store, "--epochs", "20", "--json")
    assert again.code == 0, again.err
    assert (again.json["data"], again.json["features"]["reused"]) == (str(elsewhere), 28)
    assert again.json["catalogue"] == run.first.json["catalogue"]


def test_another_preset_is_another_array_and_the_first_is_untouched(
    run: Run, tiny_fma: Path
) -> None:
    first = run.store / "features" / run.first.json["features"]["key"]
    before = contents(first)
    other = run.genre(
        "features", "--data", tiny_fma, "--store", run.store, "--preset", "notebook", "--json"
    )
    assert other.code == 0, other.err
    assert other.json["key"].startswith("fma/notebook-")
    assert contents(first) == before
    assert open_features(run.store, "notebook").sizes == {
        "row": 64,
        "window": 10,
        "band": 64,
        "frame": 256,
    }


def test_the_array_opens_as_a_labelled_dataset(run: Run) -> None:
    dataset = open_features(run.store)
    assert dataset.log_mel.dims == ("row", "window", "band", "frame")
    kept = dataset.isel(row=(dataset.status == "ok").to_numpy())
    assert len(kept.row) == 28
    assert (kept.windows == 10).all()
    missing = dataset.isel(row=(dataset.track_id == 900).to_numpy())
    assert missing.status.item() == "missing"


def test_files_of_four_kinds_are_predicted_and_a_bad_one_is_a_line(run: Run) -> None:
    rng = np.random.default_rng(1)
    files = []
    for kind in ("MP3", "WAV", "FLAC", "OGG"):
        path = run.genre.folder / f"song.{kind.lower()}"
        path.write_bytes(clip(rng, is_tone=True, kind=kind, seconds=40.0 if kind == "WAV" else 9.0))
        files.append(path)
    text = run.genre.folder / "notes.txt"
    text.write_text("this is no music")
    result = run.genre("predict", *files, text, "--store", run.store, "--json")
    assert result.code == 0, result.err
    assert LOADING not in result.err
    lines = result.json["predictions"]
    assert [line["path"] for line in lines] == [str(path) for path in (*files, text)]
    assert [line["genre"] for line in lines] == ["Rock"] * 4 + [None]
    assert lines[4]["status"] == "undecodable"
    assert all(sum(line["probabilities"].values()) == pytest.approx(1) for line in lines[:4])
    assert lines[1]["windows"] > 10


def test_a_text_file_alone_is_one_sentence_and_status_2(
    run: Run, called: Callable[..., Ended]
) -> None:
    text = run.genre.folder / "only.txt"
    text.write_text("this is no music")
    result = called("predict", str(text), str(text), "--store", str(run.store))
    assert result.code == 2
    assert result.out == ""
    sentences = [line for line in result.err.splitlines() if line.startswith("genre: ")]
    assert len(sentences) == 1
    assert str(text) in sentences[0]
    assert "undecodable" in sentences[0]
    assert f"; {text} is undecodable" in sentences[0]
    assert ".;" not in sentences[0]


def test_status_tells_what_is_there_and_verify_finds_a_flipped_bit(
    run: Run, called: Callable[..., Ended]
) -> None:
    result = called("status", "--store", str(run.store), "--json")
    assert result.code == 0, result.err
    assert result.json["champion"] == run.first.json["model"]["model"]
    assert [each["tracks"] for each in result.json["catalogues"]] == [29]
    shard = run.store / "features" / run.first.json["features"]["key"] / "log_mel/c/0/0/0/0"
    good = shard.read_bytes()
    shard.write_bytes(good[:5000] + bytes([good[5000] ^ 1]) + good[5001:])
    damaged = called("status", "--store", str(run.store), "--verify", "--json")
    shard.write_bytes(good)
    assert damaged.code == 1
    (problem,) = damaged.json["problems"]
    assert (problem["shard"], problem["path"]) == (0, str(shard))
    assert called("status", "--store", str(run.store), "--verify").code == 0


def test_the_readme_tells_the_truth(
    run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    code = readme.split("```python\n")[1].split("```")[0]
    (track,) = [each for each in plan_demo().tracks if f'{each.path}"' in code]
    audio = render_track(track)
    assert audio is not None
    song = tmp_path / ".demo" / "data" / track.path
    song.parent.mkdir(parents=True)
    song.write_bytes(audio)
    (tmp_path / ".demo" / "store").symlink_to(run.store)
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(code, names)
    assert names["clip"].windows.shape == (10, 128, 128)
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "ok (10, 128, 128)"
    assert said[1] == "Frozen({'row': 64, 'window': 10, 'band': 128, 'frame': 128})"
    assert said[2].startswith(names["prediction"].genre)
    assert names["prediction"].genre in ("Electronic", "Rock")


def test_the_demo_ends_with_a_step_that_exists() -> None:
    recipe = (Path(__file__).parents[2] / "Makefile").read_text()
    (named,) = re.findall(r"^DEMO_TRACK := \$\(DEMO\)/data/(.*)$", recipe, re.M)
    assert '"  $(BIN)/genre predict $(DEMO_TRACK) --store $(DEMO)/store"' in recipe
    (track,) = [each for each in plan_demo().tracks if each.path == named]
    assert (track.defect, track.split) == (None, "test")


def test_the_making_of_the_built_in_data_is_not_among_the_features_seconds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    module = import_module("flows.build_features")
    clock = [0.0]

    def takes(seconds: float, result: object = None) -> Any:
        def call(*_: object, **__: object) -> object:
            clock[0] += seconds
            return result or MagicMock()

        return call

    beside = ("find_catalogue", "Store", "store_catalogue", "artifacts", "prepare_features")
    beside += ("finalise_features", "count_features", "get_run_logger", "_publish_quarantine")
    for name in (*beside, "describe_catalogue", "check_quarantine", "events"):
        monkeypatch.setattr(module, name, MagicMock())
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    monkeypatch.setattr(module, "data_location", takes(100.0))
    monkeypatch.setattr(module, "build_shards", takes(5.0, module.Built()))
    assert module.build_features.fn(data="demo", store="store").seconds == 5.0


def test_the_flow_refuses_a_catalogue_or_model_that_it_would_not_take() -> None:
    from flows.errors import UsageError
    from flows.full_run import full_run

    for given in (
        {"start_at": "evaluation", "catalogue": "fma-1"},
        {"start_at": "training", "model": "default-1"},
        {"model": "default-1"},
    ):
        with pytest.raises(UsageError, match=r"has no use with --start-at \w+; leave it out"):
            full_run.fn(store="nowhere", **given)


def test_whether_its_model_is_to_be_promoted_is_told_to_the_evaluation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    module, told = import_module("flows.full_run"), []
    beside = ("Store", "model_to_evaluate", "describe_model", "TrainResult", "RunResult")
    for name in (*beside, "_data_of", "_log_in_short"):
        monkeypatch.setattr(module, name, MagicMock())
    evaluate = lambda **given: told.append(given["promote"]) or MagicMock()  # noqa: E731
    monkeypatch.setattr(module, "evaluate_model", evaluate)
    for given in ({}, {"promote": "better"}):
        module.full_run.fn(store="store", start_at="evaluation", **given)
    assert told == ["never", "better"]


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({}, "full run of demo: default features, default network"),
        ({"data": "/fma", "preset": "mfcc"}, "full run of /fma: mfcc features, linear network"),
        ({"preset": "a+b"}, "full run of demo: a+b features, linear network"),
        (
            {"start_at": "training"},
            "full run of the last catalogue: default features, default network",
        ),
        (
            {"start_at": "training", "catalogue": "fma-1"},
            "full run of fma-1: default features, default network",
        ),
        (
            {"start_at": "evaluation"},
            "full run from evaluation on: the last model that fits",
        ),
        ({"start_at": "evaluation", "model": "a-1"}, "full run from evaluation on: a-1"),
    ],
)
def test_a_run_is_named_after_what_it_works_on(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, Any], name: str
) -> None:
    from flows import full_run

    said = dict.fromkeys(("data", "preset", "network", "catalogue", "model"))
    parameters = {**said, "start_at": "features", **given}
    monkeypatch.setattr(full_run, "flow_run", SimpleNamespace(parameters=parameters))
    assert full_run._run_name() == name
