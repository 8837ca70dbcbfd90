"""Mel-frequency cepstral coefficients of a window, and what statistics make of them."""

import numpy as np
from scipy import fft

DELTA_FRAMES = 9
"""Frames that a slope is taken over, as librosa's `delta` has it."""


def coefficients(decibels: np.ndarray, *, count: int) -> np.ndarray:
    """Return the first cepstral coefficients: a cosine transform over the bands.

    As ``librosa.feature.mfcc`` makes them (type 2, orthonormal).

    Parameters
    ----------
    decibels : np.ndarray [shape=(..., bands), float32, dB]
        Frame by frame.
    count : int [1 to bands]

    Returns
    -------
    np.ndarray [shape=(..., count), float32]
    """
    cosines: np.ndarray = fft.dct(decibels, type=2, norm="ortho", axis=-1)[..., :count]
    return cosines


def slopes(values: np.ndarray) -> np.ndarray:
    """Return the slope of each value over nine frames, where all nine are there.

    The least squares line through them, as ``librosa.feature.delta`` has it.

    Parameters
    ----------
    values : np.ndarray [shape=(frames, n), float, frames at least 9]

    Returns
    -------
    np.ndarray [shape=(frames - 8, n), float, a frame]
    """
    half = DELTA_FRAMES // 2
    steps = np.arange(-half, half + 1, dtype=values.dtype)
    count = len(values) - 2 * half
    total = np.zeros((count, values.shape[1]), values.dtype)
    for step in steps[half + 1 :]:
        ahead, behind = half + int(step), half - int(step)
        total += step * (values[ahead : ahead + count] - values[behind : behind + count])
    total /= np.square(steps).sum()
    return total


def statistics(values: np.ndarray) -> np.ndarray:
    """Return mean and deviation of coefficients and of their slopes.

    Parameters
    ----------
    values : np.ndarray [shape=(frames, n), float, frames at least 9]

    Returns
    -------
    np.ndarray [shape=(4 n,), float]
        n means, n deviations, n means of slopes, n deviations of slopes.
    """
    moving = slopes(values)
    return np.concatenate(
        [values.mean(axis=0), values.std(axis=0), moving.mean(axis=0), moving.std(axis=0)]
    )
