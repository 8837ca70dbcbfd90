"""Statistics of mel bands, gathered block by block."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from genre_model.errors import InvalidSpec
from genre_model.learning.normalisation import (
    SMALLEST_DEVIATION,
    InputStatistics,
    Moments,
    fit_statistics,
)

blocks = st.lists(
    st.integers(0, 4).flatmap(
        lambda count: arrays(np.float16, (count, 3, 5), elements=st.floats(-100, 40, width=16))
    ),
    min_size=1,
    max_size=5,
).filter(lambda each: any(len(block) for block in each))


@given(blocks)
@settings(max_examples=60, deadline=None)
def test_blocks_give_the_statistics_of_the_whole(parts: list[np.ndarray]) -> None:
    whole = np.concatenate(parts).astype(np.float64)
    statistics = fit_statistics(parts)
    deviation = np.maximum(whole.std(axis=(0, 2)), SMALLEST_DEVIATION)
    np.testing.assert_allclose(statistics.mean, whole.mean(axis=(0, 2)), rtol=1e-5, atol=1e-4)
    np.testing.assert_allclose(statistics.deviation, deviation, rtol=1e-4, atol=1e-4)
    assert statistics.mean.dtype == statistics.deviation.dtype == np.float32


@given(blocks, st.randoms(use_true_random=False))
@settings(max_examples=30, deadline=None)
def test_the_order_of_the_blocks_does_not_matter(parts: list[np.ndarray], random: object) -> None:
    shuffled = list(parts)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    first, second = fit_statistics(parts), fit_statistics(shuffled)
    np.testing.assert_allclose(first.mean, second.mean, rtol=1e-6, atol=1e-5)
    np.testing.assert_allclose(first.deviation, second.deviation, rtol=1e-5, atol=1e-5)


def test_a_small_spread_far_from_zero_keeps_its_digits() -> None:
    generator = np.random.default_rng(1)
    windows = (-90 + generator.integers(0, 2, (200, 2, 128)) * 0.0625).astype(np.float16)
    expected = windows.astype(np.float64).std(axis=(0, 2))
    statistics = fit_statistics(np.array_split(windows, 7))
    np.testing.assert_allclose(statistics.deviation, expected, rtol=1e-4)


def test_a_band_that_never_moves_gets_the_smallest_deviation() -> None:
    windows = np.full((4, 2, 8), -100, np.float16)
    windows[:, 1] = np.random.default_rng(0).normal(0, 3, (4, 8))
    statistics = fit_statistics([windows])
    assert statistics.deviation[0] == np.float32(SMALLEST_DEVIATION)
    assert statistics.deviation[1] > 1


def test_no_window_is_refused() -> None:
    with pytest.raises(InvalidSpec, match="0 windows"):
        fit_statistics([np.zeros((0, 3, 5), np.float16)])
    with pytest.raises(InvalidSpec, match="0 windows"):
        fit_statistics([])
    with pytest.raises(InvalidSpec, match="0 windows"):
        Moments(3).statistics()


def test_identity_changes_nothing() -> None:
    statistics = InputStatistics.identity(4)
    values = np.arange(4, dtype=np.float32)
    np.testing.assert_array_equal((values - statistics.mean) / statistics.deviation, values)
    assert statistics.size == 4
