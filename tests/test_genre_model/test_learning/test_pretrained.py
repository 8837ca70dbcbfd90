"""The imagenet network: begins with a net that is given, learns its head first, then all of it.

Its weights are random here and were saved by the test: nothing is downloaded. The net is large for
two cores, so what builds it is no quick test.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from learnable_rows import ROWS_PER_SHARD, index_of, reader

from genre_model.errors import InvalidSpec
from genre_model.networks import build_network, choose_network, settings_of
from genre_model.networks.statistics import InputStatistics
from genre_model.recipe import ModelSpec, TrainSpec
from genre_model.settings import OF_PRETRAINED

large = pytest.mark.slow
SIDE, ROWS = 32, 8
GENERATOR = np.random.default_rng(4)
LABELS = np.arange(ROWS, dtype=np.int32) % 2
WINDOWS = GENERATOR.normal(-40, 10, (ROWS, 3, SIDE, SIDE)).astype(np.float16)
SPEC = TrainSpec(epochs=3, head_epochs=1, batch_size=8, learning_rate=1e-3, schedule="constant")


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the weights of a net whose batch normalisation fits what it sees here."""
    import keras

    net = keras.applications.EfficientNetV2B0(
        include_top=False, weights=None, input_shape=(SIDE, SIDE, 3), pooling="avg"
    )
    for layer in net.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0
    net(GENERATOR.normal(128, 64, (16, SIDE, SIDE, 3)).astype(np.float32), training=True)
    file = tmp_path_factory.mktemp("weights") / "b0.weights.h5"
    net.save_weights(file)
    return file


@pytest.fixture(scope="module")
def network(weights: Path):  # noqa: ANN201
    return built(weights)


def built(weights: Path, *, side: int = SIDE):  # noqa: ANN201
    from genre_model.learning.pretrained import Pretrained

    return build_network(
        "imagenet",
        input_shape=(side, side),
        classes=8,
        statistics=InputStatistics.identity(side),
        seed=0,
        pretrained=Pretrained(weights=weights).behind,
    )


def fit(weights: Path, **options: Any):  # noqa: ANN201
    from genre_model.learning.training import train

    index = index_of(LABELS, np.arange(ROWS))
    model = ModelSpec(network="imagenet", weights=str(weights))
    return train(
        index,
        validation=index,
        read_shard=reader(WINDOWS),
        rows_per_shard=ROWS_PER_SHARD,
        classes=2,
        model=model,
        **{"spec": SPEC, **options},
    )


class Kept:
    """Checkpoints in memory, encoded as they are in a store."""

    def __init__(self, states: list[bytes] | None = None) -> None:
        self.states = states or []

    def load(self):  # noqa: ANN201
        from genre_model.learning.checkpoints import decode_checkpoint

        return decode_checkpoint(self.states[-1]) if self.states else None

    def save(self, state: object) -> None:
        from genre_model.learning.checkpoints import encode_checkpoint

        self.states.append(encode_checkpoint(state))


def by_kind(network, kind: str, values: str = "weights") -> list[np.ndarray]:  # noqa: ANN001
    layers = [each for each in network.layers if type(each).__name__ == kind]
    return [np.asarray(each) for layer in layers for each in getattr(layer, values)]


def same(left: list[np.ndarray], right: list[np.ndarray]) -> bool:
    return all(np.array_equal(*pair) for pair in zip(left, right, strict=True))


@large
def test_it_begins_with_the_net_that_was_given_and_trains_its_head_alone(
    network: Any,
    weights: Path,
) -> None:
    import keras

    from genre_model.learning.pretrained import Pretrained

    windows = GENERATOR.normal(0, 1, (2, SIDE, SIDE)).astype(np.float32)
    pictures = np.repeat((windows * 64 + 128)[..., None], 3, axis=-1)
    expected = Pretrained(weights=weights).net().predict(pictures, verbose=0)
    inner = keras.Model(network.input, network.get_layer("dropout").input)
    np.testing.assert_allclose(inner.predict(windows, verbose=0), expected, atol=1e-5)
    assert expected.std() > 0.01
    assert [each.path for each in network.trainable_weights] == ["logits/kernel", "logits/bias"]


@large
def test_it_opens_anywhere_and_runs_by_onnxruntime(
    network: Any,
    tmp_path: Path,
) -> None:
    from genre_model.learning.opening.keras_file import open_keras
    from genre_model.learning.portable_network import portable_network

    network.save(tmp_path / "network.keras")
    opened = open_keras((tmp_path / "network.keras").read_bytes())
    windows = GENERATOR.normal(0, 1, (2, SIDE, SIDE)).astype(np.float32)
    logits = network.predict(windows, verbose=0)
    np.testing.assert_array_equal(opened.predict(windows, verbose=0), logits)
    assert len(portable_network(network)) > 20e6  # which compares the logits


@large
def test_the_docstring_states_what_it_costs(weights: Path) -> None:
    import keras

    from genre_model.networks import imagenet

    network, count = built(weights, side=128), 0
    for layer in network.layers:
        if isinstance(layer, keras.layers.Conv2D | keras.layers.DepthwiseConv2D):
            count += int(np.prod(layer.output.shape[1:3]) * np.prod(layer.kernel.shape))
        elif isinstance(layer, keras.layers.Dense):
            count += int(np.prod(layer.kernel.shape))
    text = imagenet.build.__doc__
    assert text
    assert f"{network.count_params():,} parameters" in text
    assert re.search(rf"{count / 1e6:.1f}\s+million\s+multiply-adds", text), count


@pytest.fixture(scope="module")
def undisturbed(weights: Path):  # noqa: ANN201
    kept = Kept()
    return fit(weights, checkpoints=kept), kept


@large
def test_head_first_then_all_but_batch_normalisation(
    undisturbed: tuple,
    weights: Path,
) -> None:
    from genre_model.learning.checkpoints import decode_checkpoint

    result, kept = undisturbed
    after = [decode_checkpoint(state).network for state in kept.states]
    begun = built(weights)
    assert same(by_kind(after[0], "Conv2D"), by_kind(begun, "Conv2D"))
    for left, right in ((begun, after[1]), (after[1], after[2])):
        assert not same(by_kind(left, "Conv2D"), by_kind(right, "Conv2D"))
    normal = "BatchNormalization"
    assert same(by_kind(after[2], normal), by_kind(begun, normal))
    assert not same(by_kind(after[0], "Dense"), by_kind(after[1], "Dense"))
    assert result.history["learning_rate"].tolist() == pytest.approx([1e-3, 1e-4, 1e-4])


@large
@pytest.mark.parametrize("epochs", [1, 2])
def test_it_goes_on_to_the_same_numbers(undisturbed: tuple, weights: Path, epochs: int) -> None:
    result, kept = undisturbed
    resumed = fit(weights, checkpoints=Kept(kept.states[:epochs]))
    assert same(resumed.model.get_weights(), result.model.get_weights())
    times = ("seconds", "stall_share", "windows_per_second")
    names = [name for name in result.history.columns if name not in times]
    assert resumed.history[names].equals(result.history[names])


def test_patience_begins_with_the_phase() -> None:
    from genre_model.learning.phases import is_patient_no_more

    model, spec = ModelSpec(network="imagenet"), TrainSpec(head_epochs=5, patience=3, epochs=40)
    stops = [is_patient_no_more(model, spec, epochs=each, best=1) for each in range(4, 10)]
    assert stops == [False, False, False, False, True, True]
    other = ModelSpec(network="default")
    assert is_patient_no_more(other, spec, epochs=4, best=1)
    endless = replace(spec, patience=0)
    assert not is_patient_no_more(other, endless, epochs=30, best=1)


def test_an_id_is_made_of_what_is_in_the_file(tmp_path: Path) -> None:
    from genre_model.learning.pretrained import Pretrained

    one, two, other = (tmp_path / f"{name}.h5" for name in ("one", "two", "other"))
    one.write_bytes(b"same")
    two.write_bytes(b"same")
    other.write_bytes(b"else")
    digests = [Pretrained(weights=file).digest() for file in (one, two, other)]
    assert digests[0] == digests[1] != digests[2]
    assert Pretrained().digest() == "imagenet"
    specs = [ModelSpec(network="imagenet", weights=str(file)) for file in (one, other)]
    assert specs[0].digest() == specs[1].digest() == ModelSpec(network="imagenet").digest()
    larger = ModelSpec(network="imagenet", application="EfficientNetV2B1")
    assert larger.digest() != specs[0].digest()


def test_it_says_whose_net_it_is(tmp_path: Path) -> None:
    from genre_model.learning.opening.params import checked_params
    from genre_model.learning.pretrained import Pretrained

    mine = tmp_path / "mine.h5"
    mine.write_bytes(b"same")
    one, other = Pretrained().licence(), Pretrained("EfficientNetV2B1", mine).licence()
    assert (one["name"], one["licence"]) == ("EfficientNetV2B0", "Apache-2.0")
    assert one["source"].startswith("keras.applications.EfficientNetV2B0, weights of ImageNet's")
    assert "Tan and Q. V. Le, EfficientNetV2" in one["citation"]
    assert (
        other["licence"] == "Apache-2.0 if the weights are those of Keras, else that of their file"
    )
    assert other["source"].endswith("EfficientNetV2B1, weights of the file mine.h5")
    assert other["sha256"] == Pretrained("EfficientNetV2B1", mine).digest()
    checked_params({"licences": [one, other]}, where="params.json")


@large
def test_weights_that_are_not_to_be_had_are_said(
    tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import keras

    from genre_model.learning.pretrained import Pretrained

    noise, onnx = tmp_path / "noise.h5", tmp_path / "net.onnx"
    noise.write_bytes(b"\x89HDF" + bytes(2000))
    onnx.write_bytes(b"x")
    for file, sentence in [
        (tmp_path / "none.h5", "none.h5', which is no file; name another"),
        (tmp_path, "must be a file that Keras saved, [*].weights.h5 or [*].h5"),
        (onnx, "must be a file that Keras saved"),
        (noise, "noise.h5 has weights that are no whole HDF5 file"),
    ]:
        with pytest.raises(InvalidSpec, match=sentence):
            Pretrained(weights=file).net()
    with pytest.raises(InvalidSpec, match="are not those of EfficientNetV2B1 without its top"):
        Pretrained("EfficientNetV2B1", weights).net()

    def refused(**_: object) -> None:
        raise OSError("URL fetch failure on nowhere")

    monkeypatch.setattr(keras.applications, "EfficientNetV2B0", refused)
    with pytest.raises(InvalidSpec, match=r"could not download .*URL fetch.*model.weights=FILE"):
        Pretrained().net()


def test_what_other_networks_have_no_use_for_is_refused() -> None:
    from genre_model.frontends import PRESETS

    frontend = PRESETS["default"]
    assert set(OF_PRETRAINED) < set(settings_of("imagenet"))
    assert not set(OF_PRETRAINED) & set(settings_of("default"))
    for name in OF_PRETRAINED:
        with pytest.raises(InvalidSpec, match=f"no pretrained net and has no use for {name}"):
            choose_network("default", frontend=frontend, said=[name])
        assert choose_network("imagenet", frontend=frontend, said=[name]) == "imagenet"
