"""The weights of YAMNet in the file that its authors published for Keras (`yamnet.h5`).

Arrays are called as, with more or less in front of it, `layer3/pointwise_conv/bn/beta:0`; what a
version of Keras puts between is passed over. A norm's folder is `bn` or `pointwise_conv_bn`.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping, Sequence

import h5py
import numpy as np

from genre_model.errors import ModelError
from genre_model.frontends.backbones.yamnet_layers import Folded, Shape

EPSILON = 1e-4
"""Of the batch norms."""
_START = b"\x89HDF\r\n\x1a\n"
_LAYER = re.compile(r"(?:.*/)?layer(\d+)/(?:.*/)?(depthwise_conv|pointwise_conv|conv)[/_](.*)")
_KERNELS = {"kernel", "depthwise_kernel"}

Names = tuple[str, ...]


def is_one(content: bytes) -> bool:
    """Say whether a file is HDF5."""
    return content.startswith(_START)


def read(content: bytes, shapes: Sequence[Shape]) -> list[Folded]:
    """Read the layers, norms folded in.

    Parameters
    ----------
    content : bytes
        A whole HDF5 file; arrays that lie elsewhere are not read.
    shapes : Sequence[Shape]
        What is wanted, in order: `layer1/conv`, then a depthwise and a pointwise convolution of
        each further layer, then the dense one.

    Raises
    ------
    ModelError
        If an array is missing, there twice, or of another shape. The text goes on behind a colon.
    """
    try:
        with h5py.File(io.BytesIO(content), "r") as file:
            arrays = _arrays(file)
            found = [
                _folded(arrays, name, shape)
                for name, shape in zip(_names(len(shapes)), shapes[:-1], strict=False)
            ]
            dense = shapes[-1]
            kernel = _read(arrays, ("dense", "kernel"), dense.kernel)
            bias = _read(arrays, ("dense", "bias"), (dense.outputs,))
            return [*found, Folded(kernel, bias)]
    # all that h5py makes of a damaged file
    except (OSError, RuntimeError, LookupError, TypeError, AttributeError) as error:
        reason = str(error).strip("'\"").partition("\n")[0]
        raise ModelError(f"it is no whole HDF5 file ({reason})") from error


def _names(count: int) -> Iterator[tuple[str, str]]:
    """Name the convolutions in order."""
    yield "1", "conv"
    for number in range(count // 2):
        yield str(number + 2), "depthwise_conv"
        yield str(number + 2), "pointwise_conv"


def _arrays(file: h5py.File) -> Mapping[Names, h5py.Dataset]:
    """Find the arrays by layer, kind and name; those of an optimiser are passed over."""
    found: dict[Names, h5py.Dataset] = {}

    def look(path: str, item: h5py.Group | h5py.Dataset) -> None:  # it follows no link elsewhere
        if not isinstance(item, h5py.Dataset) or path.startswith("optimizer"):
            return
        name = _name(path)
        if name in found:
            raise ModelError(f"it has two arrays {'/'.join(name)!r}")
        found[name] = item

    file.visititems(look)
    return found


def _name(path: str) -> Names:
    last = path.rpartition("/")[2].removesuffix(":0")
    layer = _LAYER.fullmatch(path)
    if layer is None:
        return "dense", last
    is_norm = re.search(r"(?:^|[/_])bn/", layer[3]) is not None
    own = "kernel" if last in _KERNELS else last
    return layer[1], layer[2], "bn" if is_norm else "", own


def _folded(arrays: Mapping[Names, h5py.Dataset], name: Names, shape: Shape) -> Folded:
    """Read a convolution with its norm: ``norm(kernel * x) = (scale * kernel) * x + bias``."""

    def norm(part: str) -> np.ndarray:
        return _read(arrays, (*name, "bn", part), (shape.outputs,)).astype(np.float64)

    kernel = _read(arrays, (*name, "", "kernel"), shape.kernel)
    scale = 1 / np.sqrt(np.maximum(norm("moving_variance"), 0) + EPSILON)
    if (*name, "bn", "gamma") in arrays:
        scale *= norm("gamma")
    bias = norm("beta") - norm("moving_mean") * scale
    # a depthwise kernel has its channels before the last axis
    along = scale[:, None] if shape.is_depthwise else scale
    return Folded((kernel * along).astype(np.float32), bias.astype(np.float32))


def _read(arrays: Mapping[Names, h5py.Dataset], name: Names, shape: tuple[int, ...]) -> np.ndarray:
    called = "/".join(part for part in name if part)
    item = arrays.get(name)
    if item is None:
        raise ModelError(f"it has no array {called!r}")
    if item.external or item.is_virtual or item.dtype.kind != "f" or item.shape != shape:
        raise ModelError(
            f"its array {called!r} is of shape {item.shape} and type {item.dtype}, and should be "
            f"real numbers of shape {shape} that lie in the file"
        )
    found: np.ndarray = np.asarray(item[()], np.float32)
    return found
