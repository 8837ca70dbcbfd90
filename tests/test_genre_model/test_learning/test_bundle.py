"""A model's folder: what was saved is what opens, and what is wrong with it is said."""

import json
import shutil
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_nets import mean_net

from genre_model.errors import ModelError
from genre_model.frontends.log_mel import LogMel
from genre_model.learning.bundle import load_bundle, model_id
from genre_model.learning.inference import window_probabilities
from genre_model.learning.opening.params import read_params
from genre_model.learning.saving import save_bundle
from genre_model.networks import build_network
from genre_model.networks.statistics import InputStatistics

GENRES = ("Folk", "Hip-Hop", "Rock")
SPEC = LogMel(name="tiny", n_mels=8, window_frames=16, window_stride=16)
HISTORY = pd.DataFrame({"epoch": [1, 2], "loss": [1.5, 0.1 + 0.2]})


@pytest.fixture(scope="module")
def network():  # noqa: ANN201
    return build_network(
        "default",
        input_shape=SPEC.row_shape[1:],
        classes=3,
        statistics=InputStatistics.identity(8),
        seed=0,
    )


def save(folder: Path, network: object, **changes: object) -> None:
    given = {
        "model": network,
        "history": HISTORY,
        "genres": GENRES,
        "features": SPEC,
        "network": "default",
        "details": {"id": "default-0a1b2c3d", "seed": 7},
    }
    save_bundle(folder / "model.keras", **{**given, **changes})


@pytest.fixture(scope="module")
def saved(network: object, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a model's folder, which tests copy."""
    folder = tmp_path_factory.mktemp("models") / "saved"
    save(folder, network)
    return folder


def test_what_was_saved_opens_and_predicts_the_same(network: object, tmp_path: Path) -> None:
    save(tmp_path / "new" / "model", network)
    bundle = load_bundle(tmp_path / "new" / "model")
    windows = np.random.default_rng(0).normal(-30, 10, (4, 8, 16)).astype(np.float16)
    np.testing.assert_allclose(
        window_probabilities(bundle.network(), windows),
        window_probabilities(network, windows),
        atol=1e-6,
    )
    np.testing.assert_allclose(
        bundle.classifier().probabilities(windows),
        window_probabilities(network, windows),
        atol=1e-5,
    )
    assert (bundle.genres, bundle.features) == (GENRES, SPEC)
    assert bundle.params["parameters"] == network.count_params()
    assert bundle.params["seed"] == 7
    assert bundle.params["backend"] == "tensorflow"
    assert set(bundle.params["versions"]) == {"keras", "tensorflow", "numpy"}
    history = pd.read_csv(tmp_path / "new" / "model" / "history.csv")
    pd.testing.assert_frame_equal(history, HISTORY)


def test_a_folder_holds_its_files_and_no_temporary_one(network: object, tmp_path: Path) -> None:
    save(tmp_path, network)
    save(tmp_path, network, details={"id": "again"})
    assert sorted(each.name for each in tmp_path.iterdir()) == [
        "filters.npy",
        "history.csv",
        "logs",
        "model.keras",
        "model.onnx",
        "params.json",
    ]
    assert len(list((tmp_path / "logs").iterdir())) == 1
    assert read_params(tmp_path)["id"] == "again"


def change_params(**changes: object) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / "params.json"
        params = json.loads(path.read_text())
        path.write_text(json.dumps({**params, **changes}))

    return change


def change(name: str, content: bytes, *, honest: bool = True) -> Callable[[Path], None]:
    """Put another file in the place of one, by default with its sha256 in params.json."""

    def change(folder: Path) -> None:
        (folder / name).write_bytes(content)
        if honest:
            files = json.loads((folder / "params.json").read_text())["files"]
            change_params(files={**files, name: sha256(content).hexdigest()})(folder)

    return change


def open_all(folder: Path) -> None:
    bundle = load_bundle(folder)
    bundle.classifier()
    bundle.extractor()
    bundle.network()


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda folder: (folder / "params.json").unlink(), r"has no params\.json"),
        (lambda folder: (folder / "params.json").write_text("{"), "is not JSON"),
        (lambda folder: (folder / "params.json").write_text("[]"), "no JSON object, but of 'list'"),
        (change_params(format=9), "format 9 and this version reads 2"),
        (change_params(features={"hop": 3}), "does not say what the network takes"),
        (change_params(features={"n_mels": 8}), "no kind of frontend '';.*train the model again"),
        (change_params(genres=None), "gives None as genres, which must be a list of 1 to 1,000"),
        (change_params(genres=["Rock"]), "tells 3 genres apart, but 1 are named"),
        (
            change_params(features=LogMel().to_dict()),
            r"takes windows of \(8, 16\).*\(band, frame\)",
        ),
        (change_params(file="../elsewhere.keras"), "must be the name of a .keras file beside it"),
        (lambda folder: (folder / "model.keras").unlink(), r"has no model\.keras"),
        (change("model.keras", b"PK junk"), r"model\.keras is no whole zip archive"),
        (change("model.onnx", b"junk"), r"model\.onnx is no ONNX file that runs here"),
        (change("model.onnx", mean_net()), r"model\.onnx is no network of this project"),
        (change("filters.npy", b"junk"), r"filters\.npy holds no mel filters \[8, 513\]"),
        (change("filters.npy", b"\x93NUMPY" + bytes(8 * 513 * 4)), "holds no mel filters"),
        (change("model.onnx", b"junk", honest=False), r"model\.onnx is not the file that was"),
        (lambda folder: (folder / "model.onnx").unlink(), r"has no model\.onnx; copy the whole"),
        (change_params(files={"model.keras": "0"}), "as files, which must be an object of files"),
    ],
)
def test_a_damaged_folder_is_refused_in_one_sentence(
    saved: Path, tmp_path: Path, damage: Callable[[Path], None], sentence: str
) -> None:
    folder = shutil.copytree(saved, tmp_path / "model")
    damage(folder)
    with pytest.raises(ModelError, match=sentence) as raised:
        open_all(folder)
    assert "\n" not in str(raised.value)


def test_a_model_that_holds_code_is_refused(network: object, tmp_path: Path) -> None:
    import keras

    features = keras.Input((8, 16))
    logits = keras.layers.Lambda(lambda values: values[:, :3, 0])(features)
    keras.Model(features, logits).save(tmp_path / "other.keras")
    content = (tmp_path / "other.keras").read_bytes()
    save(tmp_path, network)
    change("model.keras", content)(tmp_path)
    with pytest.raises(ModelError, match=r"holds 'keras\.layers\.Lambda', which is none of"):
        load_bundle(tmp_path).network()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"genres": ("Folk", "Rock")}, "3 genres apart, but 2 are named"),
        ({"features": LogMel()}, "takes windows of"),
        ({"details": {"genres": 3}}, r"params\.json has genres of its own"),
    ],
)
def test_what_does_not_fit_together_is_not_saved(
    network: object, tmp_path: Path, change: dict[str, object], sentence: str
) -> None:
    with pytest.raises(ModelError, match=sentence):
        save(tmp_path / "model", network, **change)
    assert not (tmp_path / "model").exists()


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.text(max_size=4), plain, max_size=5), st.randoms())
def test_a_models_id_depends_on_the_content_and_not_on_its_order(
    made_of: dict[str, object], random: object
) -> None:
    keys = list(made_of)
    random.shuffle(keys)  # type: ignore[attr-defined]
    name = model_id("notebook", made_of)
    assert model_id("notebook", {key: made_of[key] for key in keys}) == name
    assert name.startswith("notebook-")
    assert len(name) == len("notebook-") + 8
    assert model_id("notebook", {**made_of, "one more": 1}) != name
    assert model_id("default", made_of)[-8:] != name[-8:]
