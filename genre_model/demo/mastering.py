"""From a mix to a finished clip: room, the artist's colouring, noise, level."""

from __future__ import annotations

import numpy as np


def master(
    samples: np.ndarray, *, rate: int, reverb: float, colour: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Finish a mix.

    Parameters
    ----------
    samples : np.ndarray [shape=(channels, samples), float32]
        The mix.
    rate : int
        Sample rate [Hz].
    reverb : float
        Time constant of the room [s].
    colour : np.ndarray [shape=(bands,), dB]
        The artist's equaliser, see `draw_colour`.
    rng : np.random.Generator
        The source of chance: the room, the noise floor (-70 to -35 dB below the peak), the upper
        cut-off, the level (peaks at -14 to -1 dBFS).

    Returns
    -------
    np.ndarray [shape=(samples, channels), float32, within -1 to 1]
        The clip, as soundfile takes it.
    """
    length = samples.shape[1]
    peak = float(np.abs(samples).max()) or 1.0
    floor = np.float32(10 ** (rng.uniform(-70, -35) / 20))
    noise = rng.standard_normal(samples.shape, dtype=np.float32)
    gains = _equaliser(length, rate=rate, colour=colour, cut_off=rng.uniform(5e3, 16e3))
    room = np.fft.rfft(_room(length, rate=rate, reverb=reverb, rng=rng))
    gains = gains * (1 + np.float32(rng.uniform(0.2, 0.6)) * room)
    clip = np.fft.irfft(np.fft.rfft(samples / np.float32(peak) + floor * noise) * gains, n=length)
    level = 10 ** (rng.uniform(-14, -1) / 20)
    return np.ascontiguousarray(clip.T * np.float32(level / np.abs(clip).max()))


def draw_colour(rng: np.random.Generator) -> np.ndarray:
    """Draw an artist's equaliser: a tilt, and a gain [dB] at each of nine octaves from 40 Hz."""
    octaves = np.arange(9)
    colour: np.ndarray = rng.uniform(-2.5, 2.5) * (octaves - 4) + rng.normal(0, 3.0, size=9)
    return colour


def _equaliser(samples: int, *, rate: int, colour: np.ndarray, cut_off: float) -> np.ndarray:
    """Give each bin of a clip's spectrum its gain, smooth along the octaves."""
    frequency = np.fft.rfftfreq(samples, 1 / rate)
    octave = np.log2(np.maximum(frequency, 20.0) / 40)
    decibel = np.interp(octave, np.arange(len(colour)), colour)
    decibel -= 10 * np.log10(1 + (frequency / cut_off) ** 8)
    gains: np.ndarray = 10 ** (decibel / 20)
    return gains.astype(np.float32)


def _room(samples: int, *, rate: int, reverb: float, rng: np.random.Generator) -> np.ndarray:
    """Draw a room's impulse response of unit energy: noise that fades."""
    response = np.zeros(samples, dtype=np.float32)
    length = min(round(6 * reverb * rate), samples)
    fade = np.exp(-np.arange(length) / (reverb * rate))
    response[:length] = rng.standard_normal(length) * fade
    response /= np.sqrt((response**2).sum())
    return response
