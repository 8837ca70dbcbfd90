"""Keras's other backends train and resume as TensorFlow does: `make test-backends`."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from limits import COMMAND_S

pytestmark = pytest.mark.backends
HERE = Path(__file__).parent
BESIDE = (HERE.parents[2], HERE.parents[1], HERE.parent)
"""The house, and where tests keep what they share."""


def trained(backend: str, **settings: object) -> dict[str, Any]:
    """Train, cut off and resume in a process with a backend, and return what it printed."""
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed; `make backends` installs it")
    done = subprocess.run(
        [sys.executable, HERE / "other_backend.py", json.dumps(settings)],
        env={
            **os.environ,
            "KERAS_BACKEND": backend,
            "PYTHONPATH": os.pathsep.join(map(str, BESIDE)),
        },
        capture_output=True,
        text=True,
        timeout=COMMAND_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_the_default_network_is_trained_resumed_and_exported(backend: str) -> None:
    found = trained(backend)
    assert (found["backend"], found["device"]) == (backend, "CPU")
    assert found["loss"][-1] < 0.8 * found["loss"][0]
    assert found["hits"] > 96 / 4 + 12  # of 96 tracks of four genres; chance is 24
    assert found["logits"] == [4, 4]


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_what_is_set_between_steps_is_heard_and_the_average_is_kept(backend: str) -> None:
    found = trained(backend, schedule="constant", warmup_epochs=2, ema=0.9, epochs=3)
    assert found["loss"][-1] < found["loss"][0]


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_windows_that_are_kept_on_the_device_are_changed_there(backend: str) -> None:
    """What `training.feed=auto` chooses for small data, with all that is drawn for a window."""
    augmentation = {"crop_windows": 2, "gain": 2, "equaliser": 2, "mixup": 0.2}
    masks = {"time_masks": 1, "band_masks": 1, "band_mask": 2}
    found = trained(backend, feed="resident", epochs=3, augmentation={**augmentation, **masks})
    assert found["loss"][-1] < found["loss"][0]
