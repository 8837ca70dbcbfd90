"""Crops lie anywhere in their own track, frame after frame."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from genre_model.learning.augmenting.crops import Crops

LENGTH = 4


def block(counts: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Make windows [n, 2, frames]: in band 0 their track, in band 1 the frame's number in it."""
    places = np.repeat(np.arange(len(counts)) * 3, counts)
    windows = np.zeros((len(places), 2, LENGTH), np.float16)
    windows[:, 0] = places[:, None]
    frames = np.concatenate([np.arange(count * LENGTH) for count in counts])
    windows[:, 1] = frames.reshape(-1, LENGTH)
    return windows, places


def starts(counts: list[int], long: int, seed: int) -> list[np.ndarray]:
    windows, places = block(counts)
    crops = Crops(long, np.random.default_rng(seed)).of(windows, places)
    return [crops[number] for number in range(len(places))]


@settings(deadline=None)
@given(
    counts=st.lists(st.integers(1, 10), min_size=1, max_size=6),
    long=st.integers(1, 5),
    seed=st.integers(0, 99),
)
def test_a_crop_is_frames_of_its_track_one_after_the_other(
    counts: list[int], long: int, seed: int
) -> None:
    _, places = block(counts)
    found = starts(counts, long, seed)
    of = np.repeat(counts, counts)
    for crop, place, count in zip(found, places, of, strict=True):
        assert crop.shape == (2, long * LENGTH)
        assert (crop[0] == place).all()
        first = crop[1, 0]
        np.testing.assert_array_equal(
            crop[1], (first + np.arange(long * LENGTH)) % (count * LENGTH)
        )
        if count >= long:
            assert (np.diff(crop[1]) == 1).all()


def test_crops_begin_everywhere_and_evenly() -> None:
    first = [int(crop[1, 0]) for seed in range(200) for crop in starts([3], 1, seed)]
    counts = np.bincount(first, minlength=9)
    assert len(counts) == 9
    # 600 draws of nine: 67 each, give or take five deviations
    assert abs(counts - 600 / 9).max() < 5 * np.sqrt(600 / 9)


def test_the_generator_decides_where() -> None:
    once, again, other = (starts([5, 2], 1, seed) for seed in (1, 1, 2))
    assert all((a == b).all() for a, b in zip(once, again, strict=True))
    assert not all((a == b).all() for a, b in zip(once, other, strict=True))
