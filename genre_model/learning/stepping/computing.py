"""A network as it is computed with while it trains: its precision, and over how many devices.

    judged, kept, exported    float32, on one device
    trained                   float16 or bfloat16 between its layers; weights, what normalises the
                              input, logits and loss stay float32

Both have the same weights in the same order.
"""

from __future__ import annotations

import keras

from genre_model.recipe import TrainSpec


def is_plain(spec: TrainSpec) -> bool:
    """Whether a network is trained as it is judged."""
    return spec.precision == "float32" and spec.devices == 1


def as_computed(network: keras.Model, spec: TrainSpec) -> keras.Model:
    """Return a network of the same weights that computes as a spec says.

    Parameters
    ----------
    network : keras.Model
        In float32, not compiled.
    spec : TrainSpec
        With several devices, batch normalisation counts the windows of all.

    Returns
    -------
    keras.Model
        The same one, if it is trained as it is.
    """
    if is_plain(spec):
        return network
    *_, last = network.layers

    def same(layer: keras.layers.Layer) -> keras.layers.Layer:
        config = layer.get_config()
        stays = isinstance(layer, keras.layers.Normalization) or layer is last
        if spec.precision != "float32" and not stays:
            config["dtype"] = f"mixed_{spec.precision}"
        if spec.devices > 1 and isinstance(layer, keras.layers.BatchNormalization):
            config["synchronized"] = True
        return type(layer).from_config(config)

    computed = keras.models.clone_model(network, clone_function=same)
    computed.set_weights(network.get_weights())
    return computed


def scaled(optimiser: keras.optimizers.Optimizer, spec: TrainSpec) -> keras.optimizers.Optimizer:
    """Return the optimiser, in float16 with a loss scale that follows the gradients.

    Gradients too small for float16 would be zero; a step whose scaled gradients are infinite is
    left out, and the scale halved (Micikevicius et al. 2018, "Mixed precision training").
    """
    if spec.precision != "float16":
        return optimiser
    return keras.optimizers.LossScaleOptimizer(optimiser)
