"""The mlp network: one hidden layer on a window's standardised values."""

import keras
import numpy as np

from genre_model.networks.parts import draw_seed, standardised_input
from genre_model.networks.statistics import InputStatistics

HIDDEN = 128


def build(
    *,
    input_shape: tuple[int],
    classes: int,
    statistics: InputStatistics,
    generator: np.random.Generator,
) -> keras.Model:
    """Build the mlp network.

    59,528 parameters and 59,392 multiply-adds a window of 456 values with eight genres::

        values   standardised, each by itself
                 dropout 0.2
           128   dense, ReLU
                 dropout 0.5
        genres   dense: logits

    Parameters
    ----------
    input_shape : tuple[int]
        (values,), any.
    classes : int
        Genres.
    statistics : InputStatistics
        Of the training rows.
    generator : np.random.Generator
        Source of the layers' seeds.

    Returns
    -------
    keras.Model
        Raw values [batch, values] to logits [batch, classes].
    """
    given, values = standardised_input(input_shape, statistics)
    values = keras.layers.Dropout(0.2, seed=draw_seed(generator))(values)
    values = keras.layers.Dense(
        HIDDEN,
        activation="relu",
        kernel_initializer=keras.initializers.HeNormal(seed=draw_seed(generator)),
    )(values)
    values = keras.layers.Dropout(0.5, seed=draw_seed(generator))(values)
    logits = keras.layers.Dense(
        classes,
        kernel_initializer=keras.initializers.GlorotUniform(seed=draw_seed(generator)),
        name="logits",
    )(values)
    return keras.Model(given, logits, name="mlp")
