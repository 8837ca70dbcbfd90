"""The linear network: multinomial logistic regression on a window's standardised values."""

import keras
import numpy as np

from genre_model.networks.parts import standardised_input
from genre_model.networks.statistics import InputStatistics


def build(
    *,
    input_shape: tuple[int],
    classes: int,
    statistics: InputStatistics,
    generator: np.random.Generator,  # noqa: ARG001 - every network is built alike
) -> keras.Model:
    """Build the linear network, all weights zero: `learning.fitting` fits them.

    3,656 parameters and 3,648 multiply-adds a window of 456 values with eight genres::

        values   standardised, each by itself
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
        Not used: nothing is drawn.

    Returns
    -------
    keras.Model
        Raw values [batch, values] to logits [batch, classes].
    """
    values, standardised = standardised_input(input_shape, statistics)
    logits = keras.layers.Dense(classes, kernel_initializer="zeros", name="logits")(standardised)
    return keras.Model(values, logits, name="linear")
