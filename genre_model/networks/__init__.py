"""The networks, one file each, by name; importing this package imports no Keras."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from genre_model.errors import InvalidSpec

if TYPE_CHECKING:
    import keras

    from genre_model.learning.normalisation import BandStatistics

__all__ = ["NETWORKS", "build_network"]

NETWORKS = {
    "default": "genre_model.networks.default",
    "seed": "genre_model.networks.seed",
}
"""Name -> module with `build(*, input_shape, classes, statistics, generator) -> keras.Model`."""


def build_network(
    name: str,
    *,
    input_shape: tuple[int, int],
    classes: int,
    statistics: BandStatistics,
    seed: int,
) -> keras.Model:
    """Build an untrained network.

    It is made of Keras's own layers only, so that it opens in safe mode anywhere, and every
    layer that draws numbers has a seed of its own: no global random state is read or set.

    Parameters
    ----------
    name : str
        One of `NETWORKS`.
    input_shape : tuple[int, int]
        (bands, frames) of a window.
    classes : int [at least 2]
        Genres, of which each gets an output.
    statistics : BandStatistics
        Of the training rows; they become constants of the network, not weights.
    seed : int
        Source of the first weights and of what dropout drops.

    Returns
    -------
    keras.Model
        Raw features, float [batch, bands, frames], to logits, float32 [batch, classes].

    Raises
    ------
    InvalidSpec
        If there is no network of that name, or it cannot be built for such an input.

    Examples
    --------
    >>> from genre_model.learning.normalisation import BandStatistics
    >>> network = build_network("seed", input_shape=(64, 256), classes=8,
    ...                         statistics=BandStatistics.identity(64), seed=0)
    >>> network.count_params()
    105512
    """
    if name not in NETWORKS:
        raise InvalidSpec(f"there is no network {name!r}; the networks are {', '.join(NETWORKS)}")
    if classes < 2:
        raise InvalidSpec(
            f"a network for {classes} genre has nothing to tell apart; choose tracks of two genres"
        )
    if statistics.bands != input_shape[0]:
        raise InvalidSpec(
            f"the statistics are of {statistics.bands} mel bands and the windows of "
            f"{input_shape[0]}; fit them on the same features"
        )
    import numpy as np

    return import_module(NETWORKS[name]).build(
        input_shape=input_shape,
        classes=classes,
        statistics=statistics,
        generator=np.random.default_rng(seed),
    )
