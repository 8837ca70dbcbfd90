"""The optimisers that a recipe can name, of Keras's own so that a checkpoint opens in safe mode."""

from __future__ import annotations

import keras
import numpy as np

from genre_model.learning.stepping.computing import scaled
from genre_model.learning.stepping.rates import first_rate
from genre_model.recipe import TrainSpec


def make_optimiser(spec: TrainSpec, steps: int) -> keras.optimizers.Optimizer:
    """Make the optimiser of a training, for its precision.

    Parameters
    ----------
    spec : TrainSpec
    steps : int
        Of an epoch.
    """
    return scaled(_optimiser(spec, steps), spec)


def _optimiser(spec: TrainSpec, steps: int) -> keras.optimizers.Optimizer:
    rate = first_rate(spec, steps)
    options = {
        "global_clipnorm": spec.clip_norm or None,
        "use_ema": spec.ema > 0,
        "ema_momentum": spec.ema or 0.99,
        "gradient_accumulation_steps": spec.accumulation if spec.accumulation > 1 else None,
    }
    if spec.optimiser == "sgd":
        decay = spec.weight_decay or None
        return keras.optimizers.SGD(rate, momentum=spec.momentum, weight_decay=decay, **options)
    if spec.optimiser == "adamw":
        return keras.optimizers.AdamW(rate, weight_decay=spec.weight_decay, **options)
    return keras.optimizers.Adam(rate, **options)


class AsStepped(keras.callbacks.Callback):  # type: ignore[misc]
    """Keeps the weights as the last step left them: Keras ends `fit` with the averaged ones.

    Parameters
    ----------
    network : keras.Model
        Whose; what is fitted may be more than it.

    Attributes
    ----------
    weights : list of np.ndarray
    """

    def __init__(self, network: keras.Model) -> None:
        super().__init__()
        self._network = network
        self.weights: list[np.ndarray] = []

    def on_epoch_end(self, epoch: int, logs: object = None) -> None:  # noqa: ARG002
        """Take a copy."""
        self.weights = self._network.get_weights()
