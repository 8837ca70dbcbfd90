"""What is drawn for a batch of windows: a few numbers a window, from one generator.

The host draws them and the device does what they say, so that a training is the same on every
device and with every backend, and a resumed one goes on with the same numbers.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from genre_model.recipe import AugmentSpec

KNOTS = 5
"""Points of the random equaliser, evenly spaced over the bands; a straight line joins them."""

Draws = Mapping[str, np.ndarray]
"""Name -> what was drawn for each window of a batch; `layers.changed` has the shapes."""


def draw(
    spec: AugmentSpec, *, batch: int, shape: tuple[int, ...], generator: np.random.Generator
) -> Draws:
    """Draw what a batch's windows are changed by.

    Parameters
    ----------
    spec : AugmentSpec
    batch : int
        Windows.
    shape : tuple[int, ...]
        (bands, frames) of a window, or (values,).
    generator : np.random.Generator

    Returns
    -------
    Draws
        Of what is switched on only:

        lift [batch, bands], dB : of gain and equaliser together
        bands, times [batch, masks, 2], int32 : first band or frame of a mask, and the one after it
        share [batch], 0.5 to 1, and partner [batch], int32 : how much stays of a window, and which
        other one the rest is of
    """
    drawn: dict[str, np.ndarray] = {}
    if spec.gain or spec.equaliser:
        drawn["lift"] = _lift(spec, batch, shape[0], generator)
    if spec.band_masks:
        drawn["bands"] = _masks(spec.band_masks, spec.band_mask, shape[0], batch, generator)
    if spec.time_masks:
        most = round(spec.time_mask * shape[-1])
        drawn["times"] = _masks(spec.time_masks, most, shape[-1], batch, generator)
    if spec.mixup:
        shares = generator.beta(spec.mixup, spec.mixup, batch)
        drawn["share"] = np.maximum(shares, 1 - shares).astype(np.float32)
        drawn["partner"] = generator.permutation(batch).astype(np.int32)
    return drawn


def mixed_targets(targets: np.ndarray, drawn: Draws) -> np.ndarray:
    """Mix a batch's targets as its windows are mixed.

    Parameters
    ----------
    targets : np.ndarray [shape=(batch, classes), float32]
    drawn : Draws

    Returns
    -------
    np.ndarray [shape=(batch, classes), float32]
    """
    if "share" not in drawn:
        return targets
    share = drawn["share"][:, None]
    mixed: np.ndarray = share * targets + (1 - share) * targets[drawn["partner"]]
    return mixed


def _lift(spec: AugmentSpec, batch: int, bands: int, generator: np.random.Generator) -> np.ndarray:
    gain = generator.uniform(-spec.gain, spec.gain, (batch, 1))
    knots = generator.uniform(-spec.equaliser, spec.equaliser, (batch, KNOTS))
    at = np.linspace(0, KNOTS - 1, bands)
    left = np.minimum(at.astype(int), KNOTS - 2)
    right = at - left
    curve = knots[:, left] * (1 - right) + knots[:, left + 1] * right
    lift: np.ndarray = (gain + curve).astype(np.float32)
    return lift


def _masks(
    count: int, most: int, size: int, batch: int, generator: np.random.Generator
) -> np.ndarray:
    """Draw masks of 0 to `most`, evenly, anywhere [batch, count, 2]."""
    widths = generator.integers(min(most, size) + 1, size=(batch, count))
    first = generator.integers(size - widths + 1)
    return np.stack([first, first + widths], axis=-1).astype(np.int32)
