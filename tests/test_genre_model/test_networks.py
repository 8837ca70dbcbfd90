"""The contract that every network keeps, and the numbers that each one's docstring states."""

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from genre_model import networks
from genre_model.errors import InvalidSpec
from genre_model.frontends import PRESETS
from genre_model.networks import NETWORKS, NetworkEntry, build_network, check_network
from genre_model.networks.statistics import BandStatistics

pytestmark = pytest.mark.xdist_group("tensorflow")

SHAPES = {"notebook": PRESETS["notebook"].row_shape[1:], "default": (128, 128)}

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


def statistics(bands: int) -> BandStatistics:
    generator = np.random.default_rng(5)
    return BandStatistics(
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


def built(name: str, *, seed: int = 0, classes: int = 8):  # noqa: ANN201
    shape = SHAPES[name]
    return build_network(
        name, input_shape=shape, classes=classes, statistics=statistics(shape[0]), seed=seed
    )


def features(name: str, count: int = 3) -> np.ndarray:
    return np.random.default_rng(9).normal(-30, 15, (count, *SHAPES[name])).astype(np.float16)


@pytest.mark.parametrize("name", NETWORKS)
class TestEveryNetwork:
    """What training, evaluation and prediction rely on."""

    def test_takes_raw_features_and_gives_logits(self, name: str) -> None:
        network = built(name, classes=5)
        assert network.input_shape == (None, *SHAPES[name])
        logits = network.predict(features(name), verbose=0)
        assert logits.shape == (3, 5)
        assert logits.dtype == np.float32
        assert np.isfinite(logits).all()
        assert logits.min() < 0 or not np.allclose(logits.sum(axis=1), 1)

    def test_normalises_by_the_statistics_it_was_given(self, name: str) -> None:
        shape = SHAPES[name]
        given = statistics(shape[0])
        plain = build_network(
            name,
            input_shape=shape,
            classes=8,
            statistics=BandStatistics.identity(shape[0]),
            seed=0,
        )
        raw = features(name).astype(np.float32)
        normal = (raw - given.mean[:, None]) / given.deviation[:, None]
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
        assert all(not np.array_equal(left, right) for left, right in kernels)

    def test_the_docstring_states_what_it_costs(self, name: str) -> None:
        network = built(name)
        text = import_module(NETWORKS[name].module).build.__doc__
        assert f"{network.count_params():,} parameters" in text
        millions = re.search(r"([\d.]+)\s+million\s+multiply-adds", text)
        assert millions
        assert float(millions[1]) == pytest.approx(multiply_adds(network) / 1e6, abs=0.05)

    def test_what_makes_no_sense_is_refused(self, name: str) -> None:
        bands, frames = SHAPES[name]
        with pytest.raises(InvalidSpec, match="1 genre has nothing"):
            built(name, classes=1)
        with pytest.raises(InvalidSpec, match="of 7 mel bands"):
            build_network(
                name,
                input_shape=(bands, frames),
                classes=8,
                statistics=BandStatistics.identity(7),
                seed=0,
            )


def test_all_open_in_safe_mode_where_this_package_is_not_imported(tmp_path: Path) -> None:
    for name in NETWORKS:
        network, given = built(name), features(name)
        network.save(tmp_path / f"{name}.keras")
        np.savez(tmp_path / f"{name}.npz", features=given, logits=network.predict(given, verbose=0))
    done = subprocess.run(
        [sys.executable, "-c", OPEN_WITHOUT_US, *NETWORKS],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


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
        statistics = BandStatistics.identity(bands)
        return build_network(
            "notebook", input_shape=(bands, frames), classes=2, statistics=statistics, seed=0
        ).output_shape

    if fits:
        assert build() == (None, 2)
    else:
        with pytest.raises(InvalidSpec, match=f"{bands} bands x {frames} frames"):
            build()


@pytest.mark.parametrize("shape", [(64, 256), (8, 8), (1, 1)])
def test_the_default_network_takes_any_window(shape: tuple[int, int]) -> None:
    network = build_network(
        "default",
        input_shape=shape,
        classes=3,
        statistics=BandStatistics.identity(shape[0]),
        seed=0,
    )
    assert network.predict(np.zeros((2, *shape), np.float16), verbose=0).shape == (2, 3)


def test_an_unknown_network_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InvalidSpec, match=r"'resnet'; the networks are default, notebook"):
        build_network(
            "resnet",
            input_shape=(64, 256),
            classes=8,
            statistics=BandStatistics.identity(64),
            seed=0,
        )


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("frontend", PRESETS)
def test_every_network_takes_the_windows_of_every_log_mel(network: str, frontend: str) -> None:
    check_network(network, frontend=PRESETS[frontend])


def test_a_network_of_other_rows_is_refused_with_the_remedy() -> None:
    embedding = SimpleNamespace(name="mfcc", array="embedding")
    with pytest.raises(InvalidSpec) as caught:
        check_network("default", frontend=embedding)  # type: ignore[arg-type]
    assert str(caught.value) == (
        "the network 'default' takes rows of log_mel, but the preset 'mfcc' makes rows of "
        "embedding; choose the preset 'default' or 'notebook'"
    )


def test_a_network_that_takes_the_rows_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    linear = NetworkEntry("genre_model.networks.linear", takes="embedding")
    monkeypatch.setattr(networks, "NETWORKS", {**NETWORKS, "linear": linear})
    embedding = SimpleNamespace(name="mfcc", array="embedding")
    check_network("linear", frontend=embedding)  # type: ignore[arg-type]
    with pytest.raises(InvalidSpec, match=r"the network 'linear' or the preset 'default' or 'n"):
        check_network("notebook", frontend=embedding)  # type: ignore[arg-type]
    with pytest.raises(InvalidSpec, match=r"'linear' takes rows of embedding.*'default' or 'noteb"):
        check_network("linear", frontend=PRESETS["default"])


def test_an_unknown_network_does_not_fit_either() -> None:
    with pytest.raises(InvalidSpec, match=r"no network 'resnet'"):
        check_network("resnet", frontend=PRESETS["default"])
