"""What is drawn, done on the device: a network whose inputs are windows and draws.

    windows, draws ──lift──mask──mix── the network ── logits

Made of Keras's operations, so that any backend runs it. It shares the network's weights, and only
training uses it: what is validated, kept and exported is the network alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import keras

from genre_model.learning.augmenting.draws import Draws
from genre_model.signal.scales import LEAST_POWER

if TYPE_CHECKING:
    from genre_model.signal.mel_spec import Scale

DECIBEL = math.log(10) / 10
SILENCE = 10 * math.log10(LEAST_POWER)
_ROUNDING = 0.1
"""Decibels that float16 may be off at the floor."""


def with_augmentation(
    network: keras.Model,
    drawn: Draws,
    *,
    scale: Scale | None,
    fill: list[float],
    kept: keras.layers.Layer | None = None,
) -> keras.Model:
    """Put what changes windows before a network.

    Parameters
    ----------
    network : keras.Model
        Raw features to logits.
    drawn : Draws
        As `draws.draw` gives it for a batch: which of them there are, and their shapes.
    scale : {"log1p", "decibel"} or None
        Of the values, for what changes their power.
    fill : list of float
        What a masked value becomes: its band's mean.
    kept : keras.layers.Layer, optional
        Gives windows by where they are [batch, 3].

    Returns
    -------
    keras.Model
        Takes `windows` (or where they are) and the draws, by name.
    """
    given = (
        keras.Input(network.input_shape[1:], name="windows")
        if kept is None
        else keras.Input((3,), dtype="int32", name="windows")
    )
    windows = given if kept is None else kept(given)
    inputs = {
        name: keras.Input(value.shape[1:], dtype=str(value.dtype), name=name)
        for name, value in drawn.items()
    }
    values = changed(windows, inputs, scale=scale, fill=fill)
    return keras.Model({"windows": given, **inputs}, network(values))


def changed(
    windows: keras.KerasTensor,
    drawn: Mapping[str, keras.KerasTensor],
    *,
    scale: Scale | None,
    fill: list[float],
) -> keras.KerasTensor:
    """Change windows by what was drawn for them, in the order gain and equaliser, masks, mixup.

    Parameters
    ----------
    windows : tensor [shape=(batch, bands, frames) or (batch, values)]
    drawn : Mapping
        See `draws.draw`.
    scale, fill
        As for `with_augmentation`.

    Returns
    -------
    tensor
        Of the windows' shape, float32.
    """
    values = keras.ops.cast(windows, "float32")
    if "lift" in drawn:
        values = _lifted(values, drawn["lift"], scale)
    for name, axis in (("bands", 1), ("times", 2)):
        if name in drawn:
            values = _masked(values, drawn[name], axis, fill)
    if "share" in drawn:
        values = _mixed(values, drawn["share"], drawn["partner"])
    return values


def _lifted(
    values: keras.KerasTensor, lift: keras.KerasTensor, scale: Scale | None
) -> keras.KerasTensor:
    """Multiply the power of each band; what is silent stays so."""
    lift = keras.ops.expand_dims(lift, -1)
    if scale == "log1p":
        return keras.ops.log1p(keras.ops.expm1(values) * keras.ops.exp(DECIBEL * lift))
    is_heard = values > SILENCE + _ROUNDING
    return keras.ops.where(is_heard, keras.ops.maximum(values + lift, SILENCE), values)


def _masked(
    values: keras.KerasTensor, masks: keras.KerasTensor, axis: int, fill: list[float]
) -> keras.KerasTensor:
    """Put each band's mean where one of the masks lies (SpecAugment, Park et al. 2019)."""
    places = keras.ops.arange(values.shape[axis], dtype="int32")
    inside = keras.ops.logical_and(
        keras.ops.less_equal(masks[:, :, :1], places), keras.ops.greater(masks[:, :, 1:], places)
    )
    hidden = keras.ops.expand_dims(keras.ops.any(inside, axis=1), 3 - axis)
    mean = keras.ops.reshape(keras.ops.convert_to_tensor(fill, "float32"), (1, -1, 1))
    return keras.ops.where(hidden, mean, values)


def _mixed(
    values: keras.KerasTensor, share: keras.KerasTensor, partner: keras.KerasTensor
) -> keras.KerasTensor:
    """Add to each window a share of another one (mixup, Zhang et al. 2018)."""
    share = keras.ops.reshape(share, (-1, *[1] * (len(values.shape) - 1)))
    return share * values + (1 - share) * keras.ops.take(values, partner, axis=0)
