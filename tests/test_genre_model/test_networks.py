"""The contract that every network keeps, and the numbers that each one's docstring states."""

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from genre_model.errors import InvalidSpec, ModelError
from genre_model.frontends import PRESETS
from genre_model.networks import (
    NETWORKS,
    build_network,
    check_network,
    choose_network,
    is_pretrained,
)
from genre_model.networks.statistics import InputStatistics
from genre_model.portable.classifier import Classifier

SHAPES = {
    "notebook": PRESETS["notebook"].row_shape[1:],
    "default": (128, 128),
    "dong": PRESETS["notebook"].row_shape[1:],
    "resnet-s": (128, 128),
    "resnet-l": (128, 128),
    "linear": (456,),
    "mlp": (456,),
}
FROM_SCRATCH = [name for name in NETWORKS if not is_pretrained(name)]
LARGE = {"resnet-l"}
"""Of the blocks of a smaller one, which the quick suite looks at alone."""
ZERO_AT_FIRST = {"linear"}

OPEN_WITHOUT_US = """
import sys
import keras
import numpy as np
for name in sys.argv[1:]:
    saved = np.load(f"{name}.npz")
    network = keras.saving.load_model(f"{name}.keras", safe_mode=True)
    logits = network.predict(saved["features"], verbose=0)
    np.testing.assert_allclose(logits, saved["logits"], atol=1e-4)
assert not [name for name in sys.modules if name.partition(".")[0] == "genre_model"]
"""


def portable_network(network) -> bytes:  # noqa: ANN001
    from genre_model.learning.portable_network import portable_network

    return portable_network(network)


def statistics(bands: int) -> InputStatistics:
    generator = np.random.default_rng(5)
    return InputStatistics(
        generator.normal(-30, 10, bands).astype(np.float32),
        generator.uniform(5, 15, bands).astype(np.float32),
    )


def multiply_adds(network) -> int:  # noqa: ANN001
    """Count those of convolutions and dense layers for one window, as is usual."""
    count = 0
    for layer in network.layers:
        if type(layer).__name__ == "Conv2D":
            count += np.prod(layer.output.shape[1:3]) * np.prod(layer.kernel.shape)
        elif type(layer).__name__ == "Dense":
            count += np.prod(layer.kernel.shape)
    return int(count)


def built(name: str, *, seed: int = 0, classes: int = 8, shape: tuple[int, ...] = ()):  # noqa: ANN201
    shape = shape or SHAPES[name]
    return build_network(
        name, input_shape=shape, classes=classes, statistics=statistics(shape[0]), seed=seed
    )


def features(name: str, count: int = 3) -> np.ndarray:
    return np.random.default_rng(9).normal(-30, 15, (count, *SHAPES[name])).astype(np.float16)


def networks() -> list[Any]:
    """Name all that are trained from scratch, the large ones for the slower suites."""
    marks = dict.fromkeys(LARGE, pytest.mark.slow) | {"resnet-s": pytest.mark.whole}
    return [pytest.param(name, marks=marks.get(name, ())) for name in FROM_SCRATCH]


@pytest.mark.parametrize("name", networks())
class TestEveryNetwork:
    """What training, evaluation and prediction rely on; for imagenet see test_pretrained.py."""

    def test_takes_raw_features_and_gives_logits(self, name: str) -> None:
        network = built(name, classes=5)
        assert network.input_shape == (None, *SHAPES[name])
        logits = network.predict(features(name), verbose=0)
        assert logits.shape == (3, 5)
        assert logits.dtype == np.float32
        assert np.isfinite(logits).all()
        assert not np.allclose(logits.sum(axis=1), 1)

    def test_normalises_by_the_statistics_it_was_given(self, name: str) -> None:
        shape = SHAPES[name]
        given = statistics(shape[0])
        plain = build_network(
            name,
            input_shape=shape,
            classes=8,
            statistics=InputStatistics.identity(shape[0]),
            seed=0,
        )
        raw = features(name).astype(np.float32)
        band = (slice(None), *[None] * (len(shape) - 1))
        normal = (raw - given.mean[band]) / given.deviation[band]
        np.testing.assert_allclose(
            built(name).predict(raw, verbose=0), plain.predict(normal, verbose=0), atol=1e-3
        )

    def test_the_seed_decides_every_weight_and_nothing_global_is_touched(self, name: str) -> None:
        np.random.seed(1)
        first, second, other = built(name), built(name), built(name, seed=1)
        after = np.random.random()
        np.random.seed(1)
        assert after == np.random.random()
        for left, right in zip(first.get_weights(), second.get_weights(), strict=True):
            np.testing.assert_array_equal(left, right)
        kernels = [
            (left, right)
            for left, right in zip(first.get_weights(), other.get_weights(), strict=True)
            if left.ndim > 1
        ]
        assert kernels
        drawn = [not np.array_equal(left, right) for left, right in kernels]
        assert all(drawn) or (name in ZERO_AT_FIRST and not any(drawn))

    def test_the_docstring_states_what_it_costs(self, name: str) -> None:
        network = built(name)
        text = import_module(NETWORKS[name].module).build.__doc__
        assert f"{network.count_params():,} parameters" in text
        millions = re.search(r"([\d.]+)\s+million\s+multiply-adds", text)
        if millions:
            assert float(millions[1]) == pytest.approx(multiply_adds(network) / 1e6, abs=0.05)
        else:
            assert f"{multiply_adds(network):,} multiply-adds" in " ".join(text.split())

    def test_takes_the_windows_of_every_preset_of_its_rows(self, name: str) -> None:
        takes = [each for each in PRESETS.values() if each.array == NETWORKS[name].takes]
        assert takes
        for each in takes:
            network = built(name, shape=each.row_shape[1:], classes=3)
            windows = np.zeros((2, *each.row_shape[1:]), np.float16)
            assert network.predict_on_batch(windows).shape == (2, 3)

    @pytest.mark.whole
    def test_its_onnx_file_says_what_keras_says(self, name: str) -> None:
        network, given = built(name), features(name)
        expected = network.predict_on_batch(given)
        found = Classifier(portable_network(network)).logits(given)
        assert found.shape == expected.shape
        np.testing.assert_allclose(found, expected, atol=1e-4 * max(1, np.abs(expected).max()))

    def test_what_makes_no_sense_is_refused(self, name: str) -> None:
        with pytest.raises(InvalidSpec, match="1 genre has nothing"):
            built(name, classes=1)
        with pytest.raises(InvalidSpec, match="of 7 bands or values"):
            build_network(
                name,
                input_shape=SHAPES[name],
                classes=8,
                statistics=InputStatistics.identity(7),
                seed=0,
            )


@pytest.mark.whole
@pytest.mark.parametrize(
    "names",
    [
        pytest.param(set(FROM_SCRATCH) - LARGE, id="small"),
        pytest.param(LARGE, id="large", marks=pytest.mark.slow),
    ],
)
def test_all_open_in_safe_mode_where_this_package_is_not_imported(
    names: set[str], tmp_path: Path
) -> None:
    for name in names:
        network, given = built(name), features(name)
        network.save(tmp_path / f"{name}.keras")
        np.savez(tmp_path / f"{name}.npz", features=given, logits=network.predict(given, verbose=0))
    done = subprocess.run(
        [sys.executable, "-c", OPEN_WITHOUT_US, *names],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_the_onnx_file_of_other_weights_is_refused() -> None:
    from genre_model.learning.portable_network import check_same

    network = built("mlp")
    content = portable_network(network)
    check_same(network, content)
    weights, bias = network.get_layer("logits").get_weights()
    network.get_layer("logits").set_weights([weights, bias + 0.002 * np.eye(len(bias))[0]])
    with pytest.raises(ModelError, match=r"the network gives a genre 0\.000"):
        check_same(network, content)


def test_the_notebook_network_has_the_notebooks_parameters_all_of_them_trainable() -> None:
    network = built("notebook")
    assert network.count_params() == 105_512
    assert sum(weight.numpy().size for weight in network.trainable_weights) == 105_512


@pytest.mark.parametrize(
    ("bands", "frames", "fits"), [(56, 88, True), (55, 88, False), (56, 87, False)]
)
def test_the_notebook_network_says_which_windows_are_too_small(
    bands: int, frames: int, fits: bool
) -> None:
    def build() -> tuple[int, ...]:
        statistics = InputStatistics.identity(bands)
        return build_network(
            "notebook", input_shape=(bands, frames), classes=2, statistics=statistics, seed=0
        ).output_shape

    if fits:
        assert build() == (None, 2)
    else:
        with pytest.raises(InvalidSpec, match=f"{bands} bands x {frames} frames"):
            build()


@pytest.mark.parametrize(("bands", "frames", "fits"), [(12, 36, True), (11, 36, False)])
def test_dongs_network_says_which_windows_are_too_small(
    bands: int, frames: int, fits: bool
) -> None:
    if fits:
        assert built("dong", shape=(bands, frames), classes=2).output_shape == (None, 2)
    else:
        with pytest.raises(InvalidSpec, match=f"{bands} bands x {frames} frames"):
            built("dong", shape=(bands, frames))


def test_dongs_network_weighs_down_the_weights_that_the_paper_does() -> None:
    network = built("dong")
    squares = [
        float((layer.kernel.numpy() ** 2).sum()) for layer in network.layers if layer.weights
    ]
    expected = 0.01 * squares[0] + 0.01 * squares[1] + 0.02 * squares[2]
    assert float(sum(network.losses)) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("name", ["default", "resnet-s"])
@pytest.mark.parametrize("shape", [(64, 256), (8, 8), (1, 1)])
def test_some_networks_take_any_window(name: str, shape: tuple[int, int]) -> None:
    network = build_network(
        name,
        input_shape=shape,
        classes=3,
        statistics=InputStatistics.identity(shape[0]),
        seed=0,
    )
    assert network.predict(np.zeros((2, *shape), np.float16), verbose=0).shape == (2, 3)


def test_an_unknown_network_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InvalidSpec, match=r"'resnet'; the networks are default, notebook"):
        build_network(
            "resnet",
            input_shape=(64, 256),
            classes=8,
            statistics=InputStatistics.identity(64),
            seed=0,
        )


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("frontend", PRESETS)
def test_a_network_takes_all_rows_of_its_kind_and_no_others(network: str, frontend: str) -> None:
    if NETWORKS[network].takes == PRESETS[frontend].array:
        check_network(network, frontend=PRESETS[frontend])
    else:
        with pytest.raises(InvalidSpec, match=f"'{network}' takes rows of"):
            check_network(network, frontend=PRESETS[frontend])


def test_a_network_of_other_rows_is_refused_with_the_remedy() -> None:
    with pytest.raises(InvalidSpec) as caught:
        check_network("default", frontend=PRESETS["mfcc"])
    assert str(caught.value) == (
        "the network 'default' takes rows of log_mel, but the preset 'mfcc' makes rows of "
        "embedding; choose the network 'linear' or 'mlp' or the preset 'default' or 'notebook'"
    )


def test_where_none_is_named_it_is_the_first_that_takes_the_rows() -> None:
    chosen = {name: choose_network(None, frontend=each) for name, each in PRESETS.items()}
    assert chosen == {"default": "default", "notebook": "default", "mfcc": "linear"}


def test_what_is_fitted_at_once_has_no_epochs() -> None:
    assert choose_network("mlp", frontend=PRESETS["mfcc"], epochs=3) == "mlp"
    with pytest.raises(InvalidSpec, match=r"'linear' is fitted at once and has no epochs; leave"):
        choose_network(None, frontend=PRESETS["mfcc"], epochs=3)


def test_an_unknown_network_does_not_fit_either() -> None:
    with pytest.raises(InvalidSpec, match=r"no network 'resnet'"):
        check_network("resnet", frontend=PRESETS["default"])
