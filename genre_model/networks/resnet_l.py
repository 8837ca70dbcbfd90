"""The network `resnet-l`: a short-chunk residual network for a GPU."""

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
    """Build the network `resnet-l`.

    9,072,904 parameters (11,776 of them the running statistics of batch normalisation) and 1271.4
    million multiply-adds a window of 128 bands x 128 frames with eight genres: seven residual
    blocks of 128, 128, 256, 256, 256, 256 and 512 channels, the maximum over what is left, and two
    dense layers with dropout 0.5 between them; see `networks.short_chunk`.

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
        "resnet-l",
        channels=128,
        input_shape=input_shape,
        classes=classes,
        statistics=statistics,
        generator=generator,
    )
