"""How the windows of one training are changed: what is drawn in each epoch, and what does it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import keras
import numpy as np

from genre_model.learning.augmenting.crops import Crops
from genre_model.learning.augmenting.draws import Draws, draw
from genre_model.learning.augmenting.layers import with_augmentation
from genre_model.networks.statistics import InputStatistics
from genre_model.recipe import AugmentSpec

if TYPE_CHECKING:
    from genre_model.signal.mel_spec import Scale

_OF_CROPS, _OF_DRAWS = 2, 3
"""Numbers of an epoch's generators, beside 0 (the order) and 1 (dropout)."""


@dataclass(frozen=True)
class Augmenting:
    """What a spec does to the windows of a training.

    Parameters
    ----------
    spec : AugmentSpec
    scale : {"log1p", "decibel"} or None
        Of the windows' values.
    seed : int
        Source of every draw, which depends on it and the epoch's number alone.
    """

    spec: AugmentSpec
    scale: Scale | None
    seed: int

    @property
    def windows_a_crop(self) -> int:
        """Return how many windows long is what the network is trained on."""
        return max(1, self.spec.crop_windows)

    def trained_shape(self, window: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape of what the network is trained on, of that of a window."""
        return (*window[:-1], window[-1] * self.windows_a_crop)

    def window_shape(self, trained: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape of a window, of that of what the network is trained on."""
        return (*trained[:-1], trained[-1] // self.windows_a_crop)

    def crops(self, epoch: int) -> Crops | None:
        """Return what cuts the crops of an epoch, None if there are none."""
        if not self.spec.crop_windows:
            return None
        generator = np.random.default_rng([self.seed, epoch, _OF_CROPS])
        return Crops(self.spec.crop_windows, generator)

    def draws(self, epoch: int, *, shape: tuple[int, ...]) -> Callable[[int], Draws] | None:
        """Return what draws for so many windows of an epoch, None if nothing is drawn."""
        if not self._drawn(batch=2, shape=(1, 1), generator=np.random.default_rng(0)):
            return None
        generator = np.random.default_rng([self.seed, epoch, _OF_DRAWS])
        return lambda batch: self._drawn(batch=batch, shape=shape, generator=generator)

    def before(
        self,
        network: keras.Model,
        statistics: InputStatistics,
        kept: keras.layers.Layer | None = None,
    ) -> keras.Model:
        """Return what is trained: the network itself, or what stands before it.

        Parameters
        ----------
        network : keras.Model
            Compiled; its optimiser is the other one's, too.
        statistics : InputStatistics
            Of the windows.
        kept : keras.layers.Layer, optional
            Gives windows by where they are.
        """
        shape = network.input_shape[1:]
        drawn = self._drawn(batch=2, shape=shape, generator=np.random.default_rng(0))
        if not drawn and kept is None:
            return network
        fill = statistics.mean.tolist()
        trained = with_augmentation(network, drawn, scale=self.scale, fill=fill, kept=kept)
        trained.compile(
            optimizer=network.optimizer,
            loss=network.loss,
            metrics=["accuracy"],
            jit_compile=network.jit_compile,
        )
        return trained

    def _drawn(
        self, *, batch: int, shape: tuple[int, ...], generator: np.random.Generator
    ) -> Draws:
        return draw(self.spec, batch=batch, shape=shape, generator=generator)
