"""Train `default`, cut off and resumed, with the backend of KERAS_BACKEND; prints what came of it.

Keras has one backend a process, so that this is one.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace

import keras
import numpy as np
from trainings import LABELS, SHORT, VALIDATION, assert_same, cut_off_and_resumed, fit, hits

from genre_model.learning.devices import training_device
from genre_model.learning.portable_network import portable_network
from genre_model.portable.classifier import Classifier
from genre_model.recipe import AugmentSpec


def main() -> None:
    settings = json.loads(sys.argv[1])
    changed = AugmentSpec(**settings.pop("augmentation", {}))
    options = {"augmentation": changed, "scale": "decibel"}
    spec = replace(SHORT, **settings)
    undisturbed = fit(spec=spec, **options)
    assert_same(cut_off_and_resumed(spec, after=2, **options), undisturbed)
    windows = np.random.default_rng(0).normal(-40, 10, (4, *undisturbed.model.input_shape[1:]))
    logits = Classifier(portable_network(undisturbed.model)).logits(windows)
    found = {
        "backend": keras.backend.backend(),
        "device": training_device(),
        "loss": undisturbed.history["loss"].tolist(),
        "hits": hits(undisturbed.model, LABELS),
        "validated": len(VALIDATION),
        "logits": logits.shape,
        "imported": sorted({"tensorflow", "jax", "torch"} & set(sys.modules)),
    }
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
