"""Precision, and a training that two devices share, against a plain one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from limits import COMMAND_S
from trainings import LABELS, SHORT, TEST, assert_same, cut_off_and_resumed, fit, hits

from genre_model.errors import InvalidSpec
from genre_model.recipe import AugmentSpec, ModelSpec, Recipe, TrainSpec

HERE = Path(__file__).parent
BESIDE = (HERE.parents[3], HERE.parents[2], HERE.parents[1])
HALF = 0.05
"""How far losses of few steps in half precision may be from float32's, as a share."""
TWO = 1e-4
"""How far losses of two devices may be from one's: sums of floats in another order, then Adam."""


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_half_precision_learns_the_same_and_leaves_a_network_in_float32(precision: Any) -> None:
    spec = replace(SHORT, epochs=2, precision=precision)
    half, whole = fit(spec=spec), fit(spec=replace(spec, precision="float32"))
    np.testing.assert_allclose(half.history["loss"], whole.history["loss"], rtol=HALF)
    assert {str(layer.compute_dtype) for layer in half.model.layers} == {"float32"}
    assert hits(half.model, LABELS) > len(TEST) / 4


def test_only_what_is_trained_computes_in_half_precision() -> None:
    import keras

    from genre_model.learning.stepping.computing import as_computed
    from genre_model.learning.stepping.optimisers import make_optimiser
    from genre_model.networks import build_network
    from genre_model.networks.statistics import InputStatistics

    network = build_network(
        "default",
        input_shape=(12, 16),
        classes=4,
        statistics=InputStatistics(np.full(12, -40.0), np.full(12, 10.0)),
        seed=0,
    )
    spec = TrainSpec(precision="float16", clip_norm=1.0)
    half = as_computed(network, spec)
    types = {layer.name: str(layer.compute_dtype) for layer in half.layers}
    assert types.pop("normalisation") == types.pop("logits") == "float32"
    assert types.pop("log_mel", "float32") in ("float32", "float16")
    assert set(types.values()) == {"float16"}
    assert {str(each.dtype) for each in half.trainable_variables} == {"float32"}
    for one, other in zip(network.get_weights(), half.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert as_computed(network, TrainSpec()) is network
    optimiser = make_optimiser(spec, steps=4)
    assert isinstance(optimiser, keras.optimizers.LossScaleOptimizer)
    assert optimiser.inner_optimizer.global_clipnorm == 1.0
    assert not isinstance(make_optimiser(TrainSpec(), 4), keras.optimizers.LossScaleOptimizer)


@pytest.mark.slow
def test_float16_that_was_cut_off_goes_on_with_its_loss_scale() -> None:
    spec = replace(SHORT, epochs=2, precision="float16")
    assert_same(cut_off_and_resumed(spec, after=1), fit(spec=spec))


def test_steps_are_compiled_where_that_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    from genre_model.learning import devices

    assert devices.is_compiled(TrainSpec(jit="on"))
    assert not devices.is_compiled(TrainSpec(jit="off"))
    assert not devices.is_compiled(TrainSpec())  # a CPU
    monkeypatch.setattr(devices, "training_device", lambda: "H100")
    assert devices.is_compiled(TrainSpec())
    assert not devices.is_compiled(TrainSpec(devices=2))
    monkeypatch.setattr(devices, "backend", lambda: "torch")
    assert not devices.is_compiled(TrainSpec())
    monkeypatch.setattr(devices, "backend", lambda: "jax")
    assert devices.is_compiled(TrainSpec())


def test_how_steps_are_compiled_makes_no_other_model_but_precision_and_devices_do() -> None:
    assert TrainSpec(jit="on").digest() == TrainSpec().digest()
    others = {TrainSpec(precision="float16").digest(), TrainSpec(devices=2).digest()}
    assert len({TrainSpec().digest(), *others}) == 3


def test_devices_that_cannot_share_a_training_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from genre_model.learning import devices

    with pytest.raises(
        InvalidSpec, match=r"training\.devices is 9, and TensorFlow finds 1 CPU here"
    ):
        fit(spec=replace(SHORT, devices=9))
    monkeypatch.setattr(devices, "backend", lambda: "jax")
    with pytest.raises(InvalidSpec, match=r"training\.devices is 2, and with KERAS_BACKEND=jax"):
        fit(spec=replace(SHORT, devices=2))
    monkeypatch.setattr("genre_model.learning.training.scope_of", lambda _spec: None)
    with pytest.raises(InvalidSpec, match="last batch of an epoch has 1 of 336 windows, fewer"):
        fit(spec=replace(SHORT, devices=2, batch_size=67))
    alone = (
        *({"feed": "resident"}, {"ema": 0.9}, {"accumulation": 2}),
        *({"precision": "float16"}, {"jit": "on"}),
    )
    for setting in alone:
        with pytest.raises(InvalidSpec, match="which one device has alone; leave one of them out"):
            replace(SHORT, devices=2, **setting)
    with pytest.raises(InvalidSpec, match=r"mixup is 0\.2 and training\.devices 2"):
        Recipe(
            model=ModelSpec(),
            augmentation=AugmentSpec(mixup=0.2),
            training=TrainSpec(devices=2),
        )


@pytest.mark.slow
def test_two_devices_train_as_one_does() -> None:
    done = subprocess.run(
        [sys.executable, HERE / "two_devices.py", "{}"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, BESIDE))},
        capture_output=True,
        text=True,
        timeout=COMMAND_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    np.testing.assert_allclose(found["two"], found["one"], rtol=TWO)
    np.testing.assert_allclose(*found["validated"], rtol=TWO)
    np.testing.assert_allclose(found["resumed"], found["two"], rtol=1e-4)
    assert min(found["hits"]) > len(TEST) / 4
