"""A model of a backbone's features is complete in itself: nets, licences, refusals."""

from __future__ import annotations

import json
import shutil
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from labelled_rows import DATA_SET, write_rows
from made_nets import FRAMES, mean_net
from signals import band_noise, encoded

from genre_model.errors import ModelError
from genre_model.learning.inference import window_probabilities
from genre_model.predict import load_model
from genre_model.printable import as_markdown
from genre_model.recipe import EvaluateSpec, ModelSpec, TrainSpec
from genre_model.signal.status import Status
from storage.backbones import BackboneRecord
from storage.store import Store
from tasks.backbones.presets import find_preset
from tasks.evaluation import evaluate_network
from tasks.labelled import load_labelled
from tasks.predicting.chosen import ChosenModel
from tasks.predicting.exporting import export_model
from tasks.training import train_network

NET = mean_net(6)
NOTICE = "Copyright Sömebody.\n\nPermission to use is hereby granted.\n"
GENRES = ("Folk", "Rock")
TRACKS = 48


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train on embeddings that tell genres apart, and give the model's folder."""
    store = Store.create(tmp_path_factory.mktemp("store"))
    store.backbones.add(
        BackboneRecord(
            name="effnet",
            sha256=sha256(NET).hexdigest(),
            size=len(NET),
            frontend="musicnn",
            frames=FRAMES,
            output="embedding",
            values=6,
            licence="CC BY-NC 4.0",
            source="somebody",
            citation="Somebody 2020",
            licence_text=NOTICE,
        ),
        NET,
    )
    spec = find_preset(store, "effnet")
    ids = 1000 + np.arange(TRACKS)
    labels = ids % 2
    splits = np.array(["training", "training", "validation", "test"])
    tracks = pd.DataFrame(
        {
            "track_id": ids,
            "path": [f"{each}.mp3" for each in ids],
            "genre": np.array(GENRES)[labels],
            "split": splits[np.arange(TRACKS) // 2 % 4],
            "artist_id": pd.array([pd.NA] * TRACKS, dtype="Int64"),
            **dict.fromkeys(("artist", "title", "license"), "a text"),
        }
    )
    rows = np.random.default_rng(5).normal(0, 1, (TRACKS, *spec.row_shape))
    rows[..., 0] += 5 * labels[:, None]
    write_rows(store, spec, tracks, rows.astype(np.float16))
    store.catalogues.write("made-0", tracks, attributes={"data_set": DATA_SET})
    facts, _ = train_network.fn(
        store, load_labelled(store, spec), ModelSpec(network="linear"), TrainSpec()
    )
    found = evaluate_network.fn(store, facts.model, EvaluateSpec())
    assert found.metrics.track_accuracy == 1.0
    assert store.verify() == []
    return Path(facts.path)


@pytest.fixture
def copy(model: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(model, tmp_path / "copy"))


@pytest.mark.whole
def test_its_folder_alone_predicts_by_the_nets(copy: Path, tmp_path: Path) -> None:
    song = tmp_path / "song.mp3"
    song.write_bytes(encoded(band_noise(30.0)))
    predictor = load_model(copy)
    prediction = predictor.predict(song)
    windows = predictor.extractor.windows(song).windows
    assert windows is not None
    expected = window_probabilities(predictor.bundle.network(), windows).mean(axis=0)
    assert (prediction.status, prediction.windows) == (Status.OK, 10)
    assert prediction.probabilities == pytest.approx(
        dict(zip(GENRES, expected, strict=True)), abs=1e-5
    )


def test_whose_the_nets_are_is_said(copy: Path) -> None:
    (licence,) = load_model(copy).licences
    page = (copy / "evaluation" / "test" / "report.html").read_text()
    assert (licence["name"], licence["licence"]) == ("effnet", "CC BY-NC 4.0")
    assert "pretrained net effnet" in page
    assert "CC BY-NC 4.0; somebody; Somebody 2020" in page
    forbids = (
        "The pretrained net effnet is under CC BY-NC 4.0, which forbids commercial use: neither "
        "this model nor its features may be used commercially."
    )
    assert forbids in page
    assert as_markdown(forbids) in (copy / "evaluation" / "test" / "report.md").read_text()
    assert as_markdown(forbids) in (copy / "card.md").read_text()


def test_the_licence_goes_wherever_the_net_goes(copy: Path, tmp_path: Path) -> None:
    (net,) = copy.glob("effnet-*.onnx")
    name = f"{net.stem}.licence.txt"
    exported = tmp_path / "exported"
    export_model(ChosenModel.of("no store", str(copy)), exported, judged=None, told="")
    for folder, pages in ((copy, ["card.md", "evaluation/test/card.md"]), (exported, ["card.md"])):
        assert (folder / net.name).read_bytes() == NET
        assert (folder / name).read_bytes() == NOTICE.encode()
        told = json.loads((folder / "params.json").read_text())["files"]
        assert told[name] == sha256(NOTICE.encode()).hexdigest()
        for page in pages:
            assert as_markdown(name) in (folder / page).read_text()


def test_a_licence_that_is_gone_or_another_is_not_passed_on(copy: Path, tmp_path: Path) -> None:
    (text,) = copy.glob("*.licence.txt")
    chosen = ChosenModel.of("no store", str(copy))
    text.write_text("Do what you like.")
    with pytest.raises(ModelError, match=rf"{text.name} is not the file that was written"):
        export_model(chosen, tmp_path / "exported", judged=None, told="")
    text.unlink()
    with pytest.raises(ModelError, match=rf"has no {text.name}; copy the whole folder"):
        export_model(chosen, tmp_path / "exported", judged=None, told="")
    assert not (tmp_path / "exported").exists()


def test_a_model_of_before_without_its_text_opens_and_goes_out(copy: Path, tmp_path: Path) -> None:
    (text,) = copy.glob("*.licence.txt")
    text.unlink()
    params = json.loads((copy / "params.json").read_text())
    del params["files"][text.name]
    (copy / "params.json").write_text(json.dumps(params))
    (copy / "seal.json").unlink()
    assert load_model(copy).bundle.licence_files == []
    export_model(ChosenModel.of("no store", str(copy)), tmp_path / "exported", judged=None, told="")
    assert not list((tmp_path / "exported").glob("*.licence.txt"))


def test_another_net_in_its_place_is_refused(copy: Path) -> None:
    (net,) = copy.glob("effnet-*.onnx")
    net.write_bytes(mean_net(6, seed=3))
    with pytest.raises(ModelError, match=rf"{net.name} is not the file that was written"):
        load_model(copy)


def test_a_net_that_is_gone_is_missed(copy: Path) -> None:
    (net,) = copy.glob("effnet-*.onnx")
    net.unlink()
    with pytest.raises(ModelError, match=rf"has no {net.name}, a backbone of its features"):
        load_model(copy)
