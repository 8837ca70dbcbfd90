"""What the layers of YAMNet are, and their weights, whatever the file that they are read from."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

CLASSES = 521
STEM = (2, 32)
PAIRS = (
    *((1, 64), (2, 128), (1, 128), (2, 256), (1, 256), (2, 512)),
    *((1, 512),) * 5,
    *((2, 1024), (1, 1024)),
)
"""Stride of the depthwise convolution, and channels of the pointwise one behind it."""


class Shape(NamedTuple):
    """A convolution, or the dense layer at the end (size and stride 0).

    Parameters
    ----------
    kernel : tuple[int, ...]
        As Keras has it: [height, width, in, out], of a depthwise one [height, width, in, 1].
    stride : int
    outputs : int
        Channels, of each of which there is a bias.
    """

    kernel: tuple[int, ...]
    stride: int
    outputs: int

    @property
    def is_depthwise(self) -> bool:
        """Say whether each channel is looked at alone."""
        return len(self.kernel) == 4 and self.kernel[3] == 1


class Folded(NamedTuple):
    """Weights of one layer, with its batch norm in them.

    Parameters
    ----------
    kernel, bias : np.ndarray [float32]
    limit : float, optional
        Where its ReLU is cut off; nowhere by default.
    """

    kernel: np.ndarray
    bias: np.ndarray
    limit: float | None = None


def shapes() -> list[Shape]:
    """List what the 27 convolutions and the dense layer must be, in order."""
    stride, channels = STEM
    found = [Shape((3, 3, 1, channels), stride, channels)]
    for stride, outputs in PAIRS:
        found.append(Shape((3, 3, channels, 1), stride, channels))
        found.append(Shape((1, 1, channels, outputs), 1, outputs))
        channels = outputs
    return [*found, Shape((channels, CLASSES), 0, CLASSES)]
