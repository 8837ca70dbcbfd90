"""What all networks have in common: how they begin, and where their randomness comes from."""

import keras
import numpy as np

from genre_model.networks.statistics import InputStatistics


def draw_seed(generator: np.random.Generator) -> int:
    """Draw the seed of one layer [0 to 2**31 - 1]."""
    return int(generator.integers(2**31))


def normalised_input(
    input_shape: tuple[int, int], statistics: InputStatistics
) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """Begin a network: raw features in, one normalised channel out.

    Parameters
    ----------
    input_shape : tuple[int, int]
        (bands, frames) of a window.
    statistics : InputStatistics
        Kept in the layer's configuration: constants, counted among no weights.

    Returns
    -------
    tuple[keras.KerasTensor, keras.KerasTensor]
        The input [batch, bands, frames] and its normalised form [batch, bands, frames, 1].
    """
    features = keras.Input(input_shape, name="log_mel")
    normalised = _normalisation(statistics)(features)
    return features, keras.layers.Reshape((*input_shape, 1), name="channel")(normalised)


def standardised_input(
    input_shape: tuple[int], statistics: InputStatistics
) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """Begin a network on embeddings: raw values in, each standardised by itself.

    Parameters
    ----------
    input_shape : tuple[int]
        (values,) of a window.
    statistics : InputStatistics
        Kept as those of `normalised_input`.

    Returns
    -------
    tuple[keras.KerasTensor, keras.KerasTensor]
        The input and its standardised form, both [batch, values].
    """
    values = keras.Input(input_shape, name="embedding")
    return values, _normalisation(statistics)(values)


def _normalisation(statistics: InputStatistics) -> keras.layers.Layer:
    return keras.layers.Normalization(
        axis=1,
        mean=statistics.mean.tolist(),
        variance=np.square(statistics.deviation.astype(np.float64)).tolist(),
        name="normalisation",
    )


def seed_dropout(network: keras.Model, generator: np.random.Generator) -> None:
    """Give every layer that draws numbers while training a new state.

    Keras saves weights but not these states; a training that sets them anew in each epoch can be
    resumed to the same numbers.
    """
    for layer in network.layers:
        if isinstance(layer, keras.layers.Dropout | keras.layers.SpatialDropout2D):
            layer.seed_generator.state.assign(generator.integers(2**31, size=2))
