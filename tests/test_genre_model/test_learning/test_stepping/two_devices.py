"""Train with one device and with two, for `test_computing`: prints the losses of both as JSON.

TensorFlow's devices are those that it had when it was first asked, so that this is a process.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from typing import Any

import tensorflow as tf

tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)

from trainings import LABELS as OF_TRACKS  # noqa: E402
from trainings import SHORT, cut_off_and_resumed, fit, hits  # noqa: E402

from genre_model.learning import epochs  # noqa: E402
from genre_model.networks import build_network  # noqa: E402

HARDLY = 1e-9
"""Rate of a dropout that drops nothing: each device draws its own."""


def without_dropout(*given: Any, **options: Any) -> Any:
    network = build_network(*given, **options)
    for layer in network.layers:
        if hasattr(layer, "rate"):
            layer.rate = HARDLY
    return network


def main() -> None:
    settings = json.loads(sys.argv[1])
    epochs.build_network = without_dropout  # where it is looked up
    spec = replace(SHORT, epochs=2, **settings)
    both = replace(spec, devices=2)
    one, two = fit(spec=spec), fit(spec=both)
    resumed = cut_off_and_resumed(both, after=1)
    found = {
        "one": one.history["loss"].tolist(),
        "two": two.history["loss"].tolist(),
        "resumed": resumed.history["loss"].tolist(),
        "validated": [each.history["validation_loss"].tolist() for each in (one, two)],
        "hits": [hits(each.model, OF_TRACKS) for each in (one, two)],
    }
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
