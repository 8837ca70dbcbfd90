"""The network of Dong (2018), from which the notebook's was made."""

import keras
import numpy as np

from genre_model.errors import InvalidSpec
from genre_model.networks.parts import draw_seed, normalised_input
from genre_model.networks.statistics import InputStatistics

SMALLEST = (12, 36)
"""Bands and frames that leave one value after the second pool."""


def build(
    *,
    input_shape: tuple[int, int],
    classes: int,
    statistics: InputStatistics,
    generator: np.random.Generator,
) -> keras.Model:
    """Build Dong's network.

    463,848 parameters and 114.6 million multiply-adds a window of 64 bands x 256 frames with eight
    genres::

        64 x 256 x  1   features, normalised band by band
        62 x 254 x 64   convolution 3 x 3                         640 parameters
        31 x  63 x 64   maximum of 2 x 4
        29 x  59 x 64   convolution 3 x 5                      61,504
        14 x  14 x 64   maximum of 2 x 4
                        dropout 0.2
                   32   dense                                 401,440
                        dropout 0.2
               genres   dense: logits                             264

    Every convolution and the first dense layer end in a ReLU; squared weights are added to the
    loss, 0.01 times those of the convolutions and 0.02 times those of the first dense layer. It is
    `baseline_model_64` of the author's own code (github.com/ds7711/music_genre_classification),
    which the paper describes (M. Dong, "Convolutional Neural Network Achieves Human-level Accuracy
    in Music Genre Classification", arXiv 1802.09697), but for the normalisation.

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
        If the input is too small for two pools.
    """
    if input_shape[0] < SMALLEST[0] or input_shape[1] < SMALLEST[1]:
        raise InvalidSpec(
            f"the network 'dong' cannot take windows of {input_shape[0]} bands x {input_shape[1]} "
            f"frames: its pools need at least {SMALLEST[0]} x {SMALLEST[1]}; choose the preset "
            "'notebook', or the network 'default'"
        )
    features, values = normalised_input(input_shape, statistics)
    for size in ((3, 3), (3, 5)):
        values = keras.layers.Conv2D(
            64,
            size,
            activation="relu",
            kernel_initializer=_glorot(generator),
            kernel_regularizer=keras.regularizers.L2(0.01),
        )(values)
        values = keras.layers.MaxPooling2D((2, 4))(values)
    values = keras.layers.Dropout(0.2, seed=draw_seed(generator))(values)
    values = keras.layers.Flatten()(values)
    values = keras.layers.Dense(
        32,
        activation="relu",
        kernel_initializer=_glorot(generator),
        kernel_regularizer=keras.regularizers.L2(0.02),
    )(values)
    values = keras.layers.Dropout(0.2, seed=draw_seed(generator))(values)
    logits = keras.layers.Dense(classes, kernel_initializer=_glorot(generator), name="logits")(
        values
    )
    return keras.Model(features, logits, name="dong")


def _glorot(generator: np.random.Generator) -> keras.initializers.Initializer:
    return keras.initializers.GlorotUniform(seed=draw_seed(generator))
