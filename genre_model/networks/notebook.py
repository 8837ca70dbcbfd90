"""The notebook network: three convolutions, as the notebook this project grew from meant it."""

import keras
import numpy as np

from genre_model.errors import InvalidSpec
from genre_model.networks.parts import draw_seed, normalised_input
from genre_model.networks.statistics import InputStatistics

SMALLEST = (56, 88)
"""Bands and frames that leave one value after the third pool."""


def build(
    *,
    input_shape: tuple[int, int],
    classes: int,
    statistics: InputStatistics,
    generator: np.random.Generator,
) -> keras.Model:
    """Build the notebook network.

    105,512 parameters on 64 bands x 256 frames with eight genres, all of them trainable, and
    48.3 million multiply-adds a window. That number of parameters leaves one way to read the
    notebook: the dense layer sees 1 x 3 x 64 values, which takes stride 4 in all three pools and
    no padding but in the second convolution::

        64 x 256 x 1    features, normalised band by band
        62 x 254 x 64   convolution 3 x 3                         640 parameters
        16 x  64 x 64   maximum of 2 x 2, stride 4
        16 x  64 x 64   convolution 3 x 3, padded              36,928
         4 x  16 x 64   maximum of 2 x 2, stride 4
         2 x  12 x 64   convolution 3 x 5                      61,504
         1 x   3 x 64   maximum of 2 x 2, stride 4
                        spatial dropout 0.2
                   32   dense                                   6,176
                        dropout 0.2
               genres   dense: logits                             264

    Every convolution and the first dense layer end in a ReLU.

    Parameters
    ----------
    input_shape : tuple[int, int]
        (bands, frames), at least `SMALLEST`.
    classes : int
        Genres.
    statistics : InputStatistics
        Of the training rows.
    generator : np.random.Generator
        Source of the layers' seeds.

    Returns
    -------
    keras.Model
        Raw features [batch, bands, frames] to logits [batch, classes].

    Raises
    ------
    InvalidSpec
        If the input is too small for three pools.
    """
    _check_size(input_shape)
    features, values = normalised_input(input_shape, statistics)
    values = _convolve(values, (3, 3), "valid", generator)
    values = _convolve(values, (3, 3), "same", generator)
    values = _convolve(values, (3, 5), "valid", generator)
    values = keras.layers.SpatialDropout2D(0.2, seed=draw_seed(generator))(values)
    values = keras.layers.Flatten()(values)
    values = keras.layers.Dense(32, activation="relu", kernel_initializer=_glorot(generator))(
        values
    )
    values = keras.layers.Dropout(0.2, seed=draw_seed(generator))(values)
    logits = keras.layers.Dense(classes, kernel_initializer=_glorot(generator), name="logits")(
        values
    )
    return keras.Model(features, logits, name="notebook")


def _glorot(generator: np.random.Generator) -> keras.initializers.Initializer:
    return keras.initializers.GlorotUniform(seed=draw_seed(generator))


def _convolve(
    values: keras.KerasTensor,
    size: tuple[int, int],
    padding: str,
    generator: np.random.Generator,
) -> keras.KerasTensor:
    values = keras.layers.Conv2D(
        64, size, padding=padding, activation="relu", kernel_initializer=_glorot(generator)
    )(values)
    return keras.layers.MaxPooling2D(2, strides=4)(values)


def _check_size(input_shape: tuple[int, int]) -> None:
    if input_shape[0] < SMALLEST[0] or input_shape[1] < SMALLEST[1]:
        raise InvalidSpec(
            f"the network 'notebook' cannot take windows of {input_shape[0]} bands x "
            f"{input_shape[1]} frames: its pools need at least {SMALLEST[0]} x {SMALLEST[1]}, as "
            "the preset 'notebook' has; choose that preset or the network 'default'"
        )
