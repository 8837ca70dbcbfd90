"""The phases of a training: one, or two where a network begins with a pretrained net.

epoch    1 … 5      6 … 40
trained  its head   all but batch normalisation, at a tenth of the rate
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import keras

from genre_model.networks import is_pretrained
from genre_model.recipe import ModelSpec, TrainSpec

SLOWER = 10.0
"""By which the rate is divided once all of a pretrained network is trained."""


@dataclass(frozen=True)
class Phase:
    """Epochs that share an optimiser.

    Parameters
    ----------
    spec : TrainSpec
        As if the phase were a training of its own.
    before : int
        Epochs of the phase before.
    thaws : bool
        Whether what came frozen is trained.
    """

    spec: TrainSpec
    before: int = 0
    thaws: bool = False

    def history(self, lines: tuple[Mapping[str, float], ...]) -> tuple[Mapping[str, float], ...]:
        """Return the lines of its own epochs."""
        return lines[self.before :]


def phase_of(model: ModelSpec, spec: TrainSpec, epoch: int) -> Phase:
    """Return the phase that an epoch [from 1] is in.

    Examples
    --------
    >>> spec = TrainSpec(epochs=40, learning_rate=1e-3)
    >>> phase_of(ModelSpec(network="imagenet"), spec, 6).spec.learning_rate
    0.0001
    >>> phase_of(ModelSpec(network="default"), spec, 6).spec == spec
    True
    """
    if not is_pretrained(model.network):
        return Phase(spec)
    head = min(spec.head_epochs, spec.epochs)
    if epoch <= head:
        return Phase(replace(spec, epochs=head, warmup_epochs=0))
    rate, left = spec.learning_rate / SLOWER, spec.epochs - head
    return Phase(replace(spec, epochs=left, learning_rate=rate), head, thaws=True)


def thaw(network: keras.Model) -> None:
    """Have all of a pretrained network trained, but for batch normalisation.

    Its statistics are those of millions of pictures; a batch of a few windows would spoil them.
    """
    for layer in network.layers:
        layer.trainable = not isinstance(layer, keras.layers.BatchNormalization)


def is_patient_no_more(model: ModelSpec, spec: TrainSpec, *, epochs: int, best: int) -> bool:
    """Whether a training stops early; the patience with a phase begins with it.

    Parameters
    ----------
    epochs : int
        So many there were.
    best : int
        Number of the best of them, from 1.
    """
    waited = epochs - max(best, phase_of(model, spec, spec.epochs).before)
    return 0 < spec.patience <= waited
