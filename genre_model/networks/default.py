"""The default network: four convolutions, small enough to be trained on two CPU cores."""

import keras
import numpy as np

from genre_model.networks.parts import draw_seed, normalised_input
from genre_model.networks.statistics import InputStatistics


def build(
    *,
    input_shape: tuple[int, int],
    classes: int,
    statistics: InputStatistics,
    generator: np.random.Generator,
) -> keras.Model:
    """Build the default network.

    81,112 parameters (416 of them the running statistics of batch normalisation) and 13.4 million
    multiply-adds a window of 128 bands x 128 frames with eight genres::

        128 x 128 x  1   features, normalised band by band
         32 x  32 x 16   convolution 5 x 5, stride 4
         32 x  32 x 32   convolution 3 x 3
         16 x  16 x 64   maximum of 2 x 2, convolution 3 x 3
          8 x   8 x 96   maximum of 2 x 2, convolution 3 x 3
                   192   mean and maximum over bands and frames
                         dropout 0.4
                genres   dense: logits

    Every convolution is without a bias and ends in batch normalisation and a ReLU. The stride of
    the first keeps an epoch short on two CPU cores; mean and maximum over what is left let the
    network take windows of any size, and have no weights that few tracks could overfit.

    Parameters
    ----------
    input_shape : tuple[int, int]
        (bands, frames), any.
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
    """
    features, values = normalised_input(input_shape, statistics)
    values = _convolve(values, 16, size=5, strides=4, generator=generator)
    values = _convolve(values, 32, generator=generator)
    for filters in (64, 96):
        values = keras.layers.MaxPooling2D(2, padding="same")(values)
        values = _convolve(values, filters, generator=generator)
    values = keras.layers.Concatenate()(
        [
            keras.layers.GlobalAveragePooling2D()(values),
            keras.layers.GlobalMaxPooling2D()(values),
        ]
    )
    values = keras.layers.Dropout(0.4, seed=draw_seed(generator))(values)
    logits = keras.layers.Dense(
        classes,
        kernel_initializer=keras.initializers.GlorotUniform(seed=draw_seed(generator)),
        name="logits",
    )(values)
    return keras.Model(features, logits, name="default")


def _convolve(
    values: keras.KerasTensor,
    filters: int,
    *,
    size: int = 3,
    strides: int = 1,
    generator: np.random.Generator,
) -> keras.KerasTensor:
    values = keras.layers.Conv2D(
        filters,
        size,
        strides=strides,
        padding="same",
        use_bias=False,
        kernel_initializer=keras.initializers.HeNormal(seed=draw_seed(generator)),
    )(values)
    # Keras's 0.99 needs hundreds of steps to follow; small data sets have a dozen an epoch.
    values = keras.layers.BatchNormalization(momentum=0.9)(values)
    return keras.layers.ReLU()(values)
