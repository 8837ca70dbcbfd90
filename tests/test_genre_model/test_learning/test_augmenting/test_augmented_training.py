"""Training with everything on: it learns, from labels alone, and can be resumed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from learnable_rows import BANDS, FRAMES, GENRES
from scipy.stats import binom
from trainings import LABELS, SHORT, TEST, assert_same, fit, hits, undisturbed_and_resumed

from genre_model.recipe import AugmentSpec

pytestmark = pytest.mark.whole

ALL = AugmentSpec(
    crop_windows=2,
    gain=2,
    equaliser=1,
    time_masks=1,
    band_masks=1,
    band_mask=2,
    mixup=0.2,
)
OPTIONS: dict[str, Any] = {"augmentation": ALL, "scale": "decibel"}
LONG, ONCE = replace(SHORT, epochs=6), replace(SHORT, epochs=1)


@pytest.fixture(scope="module")
def trained():  # noqa: ANN201
    return fit(spec=LONG, **OPTIONS)


@pytest.fixture(scope="module")
def plain() -> float:
    return float(fit(spec=ONCE).history["loss"][0])


def test_what_can_be_learned_is_learned_and_named_by_windows(trained: Any) -> None:
    assert trained.model.input_shape == (None, BANDS, FRAMES)
    assert hits(trained.model, LABELS) > 0.7 * len(TEST)


def test_labels_shuffled_at_random_give_chance_with_everything_on() -> None:
    labels = np.random.default_rng(11).permutation(LABELS)
    # 1 in 10,000 runs of pure chance falls outside.
    low, high = binom.ppf([0.00005, 0.99995], len(TEST), 1 / len(GENRES))
    assert low <= hits(fit(labels, LONG, **OPTIONS).model, labels) <= high < 0.5 * len(TEST)


@pytest.mark.slow
def test_a_training_that_was_cut_off_draws_what_it_would_have_drawn() -> None:
    spec = replace(SHORT, epochs=3, ema=0.9, class_weights="balanced")
    undisturbed, resumed = undisturbed_and_resumed(spec, after=2, **OPTIONS)
    assert_same(resumed, undisturbed)


@pytest.mark.slow
@pytest.mark.parametrize(
    "settings",
    [
        {"crop_windows": 1},
        {"gain": 2.0},
        {"equaliser": 2.0},
        {"time_masks": 1},
        {"band_masks": 1, "band_mask": 3},
        {"mixup": 0.4},
    ],
    ids=lambda each: next(iter(each)),
)
def test_each_is_switched_by_itself(settings: dict[str, Any], plain: float) -> None:
    changed = fit(spec=ONCE, augmentation=AugmentSpec(**settings), scale="decibel")
    assert changed.history["loss"][0] != pytest.approx(plain, rel=1e-3)
