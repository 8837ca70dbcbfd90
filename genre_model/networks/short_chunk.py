"""Short-chunk residual networks, as wide as one likes: what `resnet-s` and `resnet-l` are made of.

Won, Ferraro, Bogdanov and Serra, "Evaluation of CNN-based automatic music tagging models" (SMC
2020, arXiv 2006.00751), where this family tags best. Here the shortcuts are convolutions of 1 x 1
(He et al. 2016) and not of 3 x 3, which spares a quarter of the parameters.

    bands x frames ─┬─ 3 x 3, stride 2 ── 3 x 3 ─┬─ + ── ReLU      seven times, each halving both
                    └───── 1 x 1, stride 2 ──────┘
"""

import keras
import numpy as np

from genre_model.networks.parts import draw_seed, normalised_input
from genre_model.networks.statistics import InputStatistics

WIDTHS = (1, 1, 2, 2, 2, 2, 4)
"""Of the blocks, as multiples of the first's."""


def build_short_chunk(
    name: str,
    *,
    channels: int,
    input_shape: tuple[int, int],
    classes: int,
    statistics: InputStatistics,
    generator: np.random.Generator,
) -> keras.Model:
    """Build such a network.

    Parameters
    ----------
    name : str
        The model's.
    channels : int
        Of the first block.
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
    for width in WIDTHS:
        values = _block(values, channels * width, generator)
    values = keras.layers.GlobalMaxPooling2D()(values)
    values = keras.layers.Dense(
        channels * WIDTHS[-1], use_bias=False, kernel_initializer=_he(generator)
    )(values)
    values = keras.layers.ReLU()(_normalised(values))
    values = keras.layers.Dropout(0.5, seed=draw_seed(generator))(values)
    glorot = keras.initializers.GlorotUniform(seed=draw_seed(generator))
    logits = keras.layers.Dense(classes, kernel_initializer=glorot, name="logits")(values)
    return keras.Model(features, logits, name=name)


def _block(
    values: keras.KerasTensor, filters: int, generator: np.random.Generator
) -> keras.KerasTensor:
    """Halve bands and frames: two convolutions, beside a shortcut."""
    inner = keras.layers.ReLU()(_convolve(values, filters, 3, strides=2, generator=generator))
    inner = _convolve(inner, filters, 3, strides=1, generator=generator)
    shortcut = _convolve(values, filters, 1, strides=2, generator=generator)
    return keras.layers.ReLU()(keras.layers.Add()([inner, shortcut]))


def _convolve(
    values: keras.KerasTensor,
    filters: int,
    size: int,
    *,
    strides: int,
    generator: np.random.Generator,
) -> keras.KerasTensor:
    values = keras.layers.Conv2D(
        filters,
        size,
        strides=strides,
        padding="same",
        use_bias=False,
        kernel_initializer=_he(generator),
    )(values)
    return _normalised(values)


def _normalised(values: keras.KerasTensor) -> keras.KerasTensor:
    # Keras's 0.99 needs hundreds of steps to follow; small data sets have a dozen an epoch.
    return keras.layers.BatchNormalization(momentum=0.9)(values)


def _he(generator: np.random.Generator) -> keras.initializers.Initializer:
    return keras.initializers.HeNormal(seed=draw_seed(generator))
