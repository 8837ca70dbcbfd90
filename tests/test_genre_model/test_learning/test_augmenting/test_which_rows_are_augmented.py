"""What cannot be done to a preset's rows, or a network cannot take, is refused in a sentence."""

from __future__ import annotations

from typing import Any

import pytest

from genre_model.errors import InvalidSpec
from genre_model.frontends import PRESETS
from genre_model.learning.augmenting.rows import check_augmentation
from genre_model.recipe import AugmentSpec


def check(preset: str, network: str, **settings: Any) -> None:
    check_augmentation(AugmentSpec(**settings), frontend=PRESETS[preset], network=network)


@pytest.mark.parametrize(
    ("preset", "network", "settings"),
    [
        ("default", "default", {"crop_windows": 3, "gain": 6, "mixup": 0.2}),
        ("default", "dong", {"crop_windows": 1, "time_masks": 2, "band_masks": 2}),
        ("notebook", "notebook", {"equaliser": 6, "gain": 3}),
        ("mfcc", "mlp", {"mixup": 0.3}),
        ("mfcc", "linear", {}),
    ],
)
def test_what_can_be_done_passes(preset: str, network: str, settings: dict[str, Any]) -> None:
    check(preset, network, **settings)


@pytest.mark.parametrize(
    ("preset", "network", "settings", "sentence"),
    [
        (
            "mfcc",
            "mlp",
            {"gain": 3},
            "augmentation.gain changes spectra, and the preset 'mfcc' has",
        ),
        ("notebook", "default", {"crop_windows": 1}, "do not join: each has 256 of 258 frames"),
        (
            "default",
            "dong",
            {"crop_windows": 2},
            "choose the network default or resnet-s or resnet",
        ),
    ],
)
def test_what_cannot_be_done_is_refused(
    preset: str, network: str, settings: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(InvalidSpec, match=sentence):
        check(preset, network, **settings)


def test_the_width_of_masks_that_are_not_there_is_refused() -> None:
    with pytest.raises(InvalidSpec, match=r"augmentation.time_mask is 0.5, and there are no such"):
        AugmentSpec(time_mask=0.5)
    assert AugmentSpec(time_mask=0.5, time_masks=1).unused() == ["band_mask"]
