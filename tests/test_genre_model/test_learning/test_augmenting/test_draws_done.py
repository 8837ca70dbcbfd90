"""What is drawn is done: each change on signals whose outcome is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from genre_model.learning.augmenting.draws import Draws, draw, mixed_targets
from genre_model.recipe import AugmentSpec

BANDS, FRAMES, BATCH = 32, 40, 64
SHAPE = (BANDS, FRAMES)
MEAN = np.linspace(-60, -20, BANDS)
ALL = AugmentSpec(gain=6, equaliser=6, time_masks=2, band_masks=2, band_mask=8, mixup=0.4)


def drawn(seed: int = 0, **settings: Any) -> Draws:
    generator = np.random.default_rng(seed)
    return draw(AugmentSpec(**settings), batch=BATCH, shape=SHAPE, generator=generator)


def done(windows: np.ndarray, draws: Draws, scale: str | None = "decibel") -> np.ndarray:
    from genre_model.learning.augmenting.layers import changed

    return np.asarray(changed(windows, draws, scale=scale, fill=MEAN.tolist()))  # type: ignore[arg-type]


def noise() -> np.ndarray:
    return np.random.default_rng(5).normal(-40, 8, (BATCH, *SHAPE)).astype(np.float16)


def test_gain_makes_the_whole_window_louder_by_as_much() -> None:
    draws = drawn(gain=12)
    lift = draws["lift"]
    assert lift.shape == (BATCH, BANDS)
    assert np.ptp(lift, axis=1).max() == 0
    assert -12 <= lift.min() < -9
    assert 9 < lift.max() <= 12
    off = done(noise(), draws) - noise()
    np.testing.assert_allclose(off, np.broadcast_to(lift[..., None], off.shape), atol=1e-4)


def test_in_log1p_gain_multiplies_the_power() -> None:
    power = np.random.default_rng(1).uniform(0, 50, (BATCH, *SHAPE)).astype(np.float32)
    draws = drawn(gain=12)
    found = np.expm1(done(np.log1p(power), draws, "log1p"))
    np.testing.assert_allclose(found, power * 10 ** (draws["lift"][..., None] / 10), rtol=1e-4)


@pytest.mark.parametrize(("scale", "silence"), [("decibel", -100.0), ("log1p", 0.0)])
def test_what_is_silent_stays_silent(scale: str, silence: float) -> None:
    silent = np.full((BATCH, *SHAPE), silence, np.float16)
    np.testing.assert_allclose(done(silent, drawn(gain=20, equaliser=9), scale), silence, atol=1e-6)


def test_the_equaliser_is_a_gentle_curve_over_the_bands_the_same_in_every_frame() -> None:
    draws = drawn(equaliser=8)
    lift = draws["lift"]
    assert np.abs(lift).max() <= 8
    assert np.ptp(lift, axis=1).min() > 0.5
    # five points over 32 bands: from one band to the next at most 16 dB / (31 / 4 bands)
    assert np.abs(np.diff(lift, axis=1)).max() <= 16 * 4 / (BANDS - 1) + 1e-4
    assert (np.abs(np.diff(lift, n=2, axis=1)) > 1e-4).sum(axis=1).max() <= 2 * 3
    off = done(noise(), draws) - noise()
    np.testing.assert_allclose(off, np.broadcast_to(lift[..., None], off.shape), atol=1e-4)


@pytest.mark.parametrize(
    ("settings", "axis", "most"),
    [
        ({"time_masks": 2, "time_mask": 0.25}, 2, 10),
        ({"band_masks": 3, "band_mask": 5}, 1, 5),
        ({"band_masks": 1, "band_mask": 999}, 1, BANDS),
    ],
)
def test_masks_hide_whole_stripes_behind_the_bands_mean(
    settings: dict[str, float], axis: int, most: int
) -> None:
    masks = next(value for key, value in settings.items() if key.endswith("s"))
    found, given = done(noise(), drawn(**settings)), noise().astype(np.float32)
    mean = np.broadcast_to(MEAN[None, :, None], given.shape)
    hidden = np.isclose(found, mean, atol=1e-4)
    stripes = hidden.all(axis=3 - axis)
    np.testing.assert_array_equal(found[~hidden], given[~hidden])
    # nothing is hidden but stripes; values of noise that are the mean by chance are few
    assert hidden.sum() < stripes.sum() * given.shape[3 - axis] + 100
    widths = stripes.sum(axis=1)
    assert widths.max() <= masks * most
    assert len(np.unique(widths)) > 3
    assert (stripes.any(axis=0)).all()


def test_mixup_adds_shares_of_two_windows_and_of_their_targets() -> None:
    draws = drawn(mixup=0.4)
    share, partner = draws["share"], draws["partner"]
    assert (share >= 0.5).all()
    assert (share <= 1).all()
    assert sorted(partner) == list(range(BATCH))
    assert share.std() > 0.05
    given = noise().astype(np.float32)
    expected = share[:, None, None] * given + (1 - share[:, None, None]) * given[partner]
    np.testing.assert_allclose(done(noise(), draws), expected, atol=1e-4)
    targets = np.eye(5, dtype=np.float32)[np.arange(BATCH) % 5]
    mixed = mixed_targets(targets, draws)
    np.testing.assert_allclose(mixed.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(
        mixed, share[:, None] * targets + (1 - share[:, None]) * targets[partner], atol=1e-6
    )


def test_embeddings_are_mixed_too() -> None:
    values = np.random.default_rng(2).normal(0, 1, (BATCH, 7)).astype(np.float16)
    draws = draw(AugmentSpec(mixup=1), batch=BATCH, shape=(7,), generator=np.random.default_rng(0))
    share = draws["share"][:, None]
    expected = share * values + (1 - share) * values[draws["partner"]]
    np.testing.assert_allclose(done(values, draws, None), expected, atol=1e-5)


def test_nothing_is_drawn_where_nothing_is_said() -> None:
    assert drawn() == {}
    assert drawn(crop_windows=2) == {}
    targets = np.eye(3, dtype=np.float32)
    assert mixed_targets(targets, {}) is targets


def test_the_seed_decides_all_of_it() -> None:
    settings = {name: getattr(ALL, name) for name in ALL.changed()}
    once, again, other = drawn(1, **settings), drawn(1, **settings), drawn(2, **settings)
    assert once.keys() == {"lift", "bands", "times", "share", "partner"}
    for name, value in once.items():
        np.testing.assert_array_equal(value, again[name])
        assert not np.array_equal(value, other[name])
    np.testing.assert_array_equal(done(noise(), once), done(noise(), again))
