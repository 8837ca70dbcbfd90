"""The network `resnet-s`: a short-chunk residual network that a laptop trains."""

import keras
import numpy as np

from genre_model.networks.short_chunk import build_short_chunk
from genre_model.networks.statistics import InputStatistics


def build(
    *,
    input_shape: tuple[int, int],
    classes: int,
    statistics: InputStatistics,
    generator: np.random.Generator,
) -> keras.Model:
    """Build the network `resnet-s`.

    572,488 parameters (2,944 of them the running statistics of batch normalisation) and 80.4
    million multiply-adds a window of 128 bands x 128 frames with eight genres: seven residual
    blocks of 32, 32, 64, 64, 64, 64 and 128 channels, the maximum over what is left, and two dense
    layers with dropout 0.5 between them; see `networks.short_chunk`.

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
    return build_short_chunk(
        "resnet-s",
        channels=32,
        input_shape=input_shape,
        classes=classes,
        statistics=statistics,
        generator=generator,
    )
