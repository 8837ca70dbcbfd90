"""The imagenet network: EfficientNetV2, which knows pictures, on spectrograms; for a GPU."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np

from genre_model.errors import InvalidSpec
from genre_model.networks.parts import draw_seed, normalised_input
from genre_model.networks.statistics import InputStatistics

_PER_DEVIATION, _MIDDLE = 64.0, 128.0


def build(
    *,
    input_shape: tuple[int, int],
    classes: int,
    statistics: InputStatistics,
    generator: np.random.Generator,
    pretrained: Callable[[keras.KerasTensor], keras.Model],
) -> keras.Model:
    """Build the imagenet network, all but its head frozen.

    5,929,560 parameters (60,608 of them the running statistics of batch normalisation) and 234.8
    million multiply-adds a window of 128 bands x 128 frames with eight genres, with
    EfficientNetV2-B0 (Tan and Le 2021, https://arxiv.org/abs/2104.00298)::

        128 x 128 x  3   a picture: normalised band by band, one deviation is 64 of 255
          4 x   4 x 1280 EfficientNetV2-B0 without its top
                  1280   mean over bands and frames
                         dropout 0.2
                genres   dense: logits

    The net takes windows as they are: a picture of 224 x 224 pixels would cost three times as much.
    With the other sizes that `model.application` names the numbers are larger.

    Parameters
    ----------
    input_shape : tuple[int, int]
        (bands, frames), each at least 32.
    classes : int
        Genres.
    statistics : InputStatistics
        Of the training rows.
    generator : np.random.Generator
        Source of the layers' seeds.
    pretrained : callable
        Builds the pretrained net behind a picture [batch, bands, frames, 3, 0 to 255].

    Returns
    -------
    keras.Model
        Raw features [batch, bands, frames] to logits [batch, classes].

    Raises
    ------
    InvalidSpec
        If the windows are too small.
    """
    if min(input_shape) < 32:
        raise InvalidSpec(
            f"the network 'imagenet' takes windows of 32 bands and frames or more, not of "
            f"{input_shape[0]} x {input_shape[1]}; choose another preset"
        )
    features, channel = normalised_input(input_shape, statistics)
    scaled = keras.layers.Rescaling(_PER_DEVIATION, offset=_MIDDLE, name="pixels")(channel)
    picture = keras.layers.Concatenate(name="picture")([scaled] * 3)
    net = pretrained(picture)
    for layer in net.layers:
        layer.trainable = False
    values = keras.layers.Dropout(0.2, seed=draw_seed(generator), name="dropout")(net.output)
    logits = keras.layers.Dense(
        classes,
        kernel_initializer=keras.initializers.GlorotUniform(seed=draw_seed(generator)),
        name="logits",
    )(values)
    return keras.Model(features, logits, name="imagenet")
