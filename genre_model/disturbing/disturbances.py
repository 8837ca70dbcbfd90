"""What befalls clips on their way to listeners: one function each, on one waveform.

All take the mean of the channels at `RATE`, and none changes it in its place.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import soundfile

RATE = 44_100
"""Hz, at which clips are disturbed."""

GAIN, LOWEST_CUT, NOISE, SEMITONES, TEMPO = 12.0, 8_000.0, 20.0, 2.0, 0.05
MP3_BITS = 64_000
"""A second."""
_MP3_MOST, _MP3_LEAST = 320_000, 32_000
_FILTER_ORDER = 8


def louder(waveform: np.ndarray, decibels: float) -> np.ndarray:
    """Multiply a waveform; nothing is clipped.

    Parameters
    ----------
    waveform : np.ndarray [shape=(n,), float32]
    decibels : float
        Softer where it is negative.
    """
    found: np.ndarray = waveform * np.float32(10 ** (decibels / 20))
    return found


def low_passed(waveform: np.ndarray, hertz: float) -> np.ndarray:
    """Take away what is above a frequency (Butterworth, forwards and backwards: no delay).

    Half of the amplitude is left at `hertz`, and not a 65,000th an octave above.
    """
    from scipy.signal import butter, sosfiltfilt

    sections = butter(_FILTER_ORDER, hertz, fs=RATE, output="sos")
    filtered: np.ndarray = sosfiltfilt(sections, waveform)
    return filtered.astype(np.float32)


def noisy(waveform: np.ndarray, decibels: float, generator: np.random.Generator) -> np.ndarray:
    """Add white noise so many decibels below the whole waveform's power."""
    power = float(np.mean(np.square(waveform, dtype=np.float64)))
    noise = generator.standard_normal(len(waveform)) * np.sqrt(power * 10 ** (-decibels / 10))
    heard: np.ndarray = (waveform + noise).astype(np.float32)
    return heard


def shifted(waveform: np.ndarray, semitones: float) -> np.ndarray:
    """Raise the pitch, at the same tempo (librosa's phase vocoder, then soxr)."""
    import librosa

    found: np.ndarray = librosa.effects.pitch_shift(
        waveform, sr=RATE, n_steps=semitones, res_type="soxr_hq"
    )
    return found.astype(np.float32)


def stretched(waveform: np.ndarray, rate: float) -> np.ndarray:
    """Play faster by a factor, at the same pitch (librosa's phase vocoder)."""
    import librosa

    found: np.ndarray = librosa.effects.time_stretch(waveform, rate=rate)
    return found.astype(np.float32)


def as_wav(waveform: np.ndarray) -> bytes:
    """Write a waveform as a WAV of floats: the same numbers again."""
    file = io.BytesIO()
    soundfile.write(file, waveform, RATE, format="WAV", subtype="FLOAT")
    return file.getvalue()


def as_mp3(waveform: np.ndarray, bits: int = MP3_BITS) -> bytes:
    """Encode a waveform as an MP3 of a constant bit rate (LAME); it is clipped at full scale."""
    file = io.BytesIO()
    soundfile.write(
        file,
        waveform.clip(-1, 1),
        RATE,
        format="MP3",
        subtype="MPEG_LAYER_III",
        bitrate_mode="CONSTANT",
        # libsndfile counts from the highest bit rate down to the lowest
        compression_level=(_MP3_MOST - bits) / (_MP3_MOST - _MP3_LEAST),
    )
    return file.getvalue()


@dataclass(frozen=True)
class Disturbance:
    """One of them.

    Parameters
    ----------
    title : str
    make : callable
        Takes a waveform and a generator of random numbers, and returns a file.
    """

    title: str
    make: Callable[[np.ndarray, np.random.Generator], bytes]


PLAIN = "none"
"""What the others are compared with: the same way, without a disturbance."""

DISTURBANCES: Mapping[str, Disturbance] = {
    PLAIN: Disturbance("as they are", lambda clip, _: as_wav(clip)),
    "mp3": Disturbance("MP3 at 64 kbit/s", lambda clip, _: as_mp3(clip)),
    "louder": Disturbance("12 dB louder", lambda clip, _: as_wav(louder(clip, GAIN))),
    "softer": Disturbance("12 dB softer", lambda clip, _: as_wav(louder(clip, -GAIN))),
    "low-pass": Disturbance(
        "low-pass at 8 kHz", lambda clip, _: as_wav(low_passed(clip, LOWEST_CUT))
    ),
    "noise": Disturbance(
        "white noise at 20 dB", lambda clip, generator: as_wav(noisy(clip, NOISE, generator))
    ),
    "higher": Disturbance("two semitones higher", lambda clip, _: as_wav(shifted(clip, SEMITONES))),
    "lower": Disturbance("two semitones lower", lambda clip, _: as_wav(shifted(clip, -SEMITONES))),
    "faster": Disturbance("5 % faster", lambda clip, _: as_wav(stretched(clip, 1 + TEMPO))),
    "slower": Disturbance("5 % slower", lambda clip, _: as_wav(stretched(clip, 1 - TEMPO))),
}
