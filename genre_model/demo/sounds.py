"""Single sounds of the built-in data set: notes by wavetables, drums by sines and noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_TABLE = 4_096


@dataclass(frozen=True, kw_only=True)
class Timbre:
    """How an instrument sounds.

    Attributes
    ----------
    slope : float
        Harmonic k has the amplitude k**-slope.
    even : float
        Weight of the even harmonics, from 0 to 1.
    formant : float
        Frequency that is emphasised [Hz]; 0 for none.
    attack, decay : float
        Time to full level, and time constant of the decay after it [s].
    dulling : float
        Time constant with which the upper harmonics fade [s].
    vibrato : float
        Depth of a 5.5 Hz vibrato [cents].
    detune : float
        Distance of a second voice [cents].
    modulation : float
        Index of a phase modulation at an inharmonic ratio, which makes bells.
    drive : float
        Gain into a soft clipper; 0 for none.
    """

    slope: float
    even: float = 1.0
    formant: float = 0.0
    attack: float = 0.005
    decay: float = 4.0
    dulling: float = 4.0
    vibrato: float = 0.0
    detune: float = 0.0
    modulation: float = 0.0
    drive: float = 0.0


TIMBRES = {
    "bell": Timbre(slope=3.0, decay=1.2, modulation=1.8),
    "distorted": Timbre(slope=1.0, detune=6.0, drive=6.0, decay=3.0),
    "piano": Timbre(slope=1.7, decay=0.6, dulling=0.25, detune=2.0),
    "pluck": Timbre(slope=1.2, decay=0.35, dulling=0.12),
    "reed": Timbre(slope=1.1, even=0.3, formant=1_200.0, attack=0.03, vibrato=15.0),
    "round": Timbre(slope=2.2, decay=0.8, dulling=0.3),
    "saw": Timbre(slope=1.0, detune=12.0, decay=1.5, dulling=0.8),
    "square": Timbre(slope=1.0, even=0.0, decay=0.8, dulling=0.5),
    "strings": Timbre(slope=1.4, attack=0.25, vibrato=10.0, detune=9.0),
    "sub": Timbre(slope=4.0, decay=0.9),
    "voice": Timbre(slope=1.3, formant=800.0, attack=0.04, vibrato=25.0),
}
"""The instruments by name."""


def note(timbre: Timbre, *, frequency: float, seconds: float, rate: int) -> np.ndarray:
    """Render one note.

    Parameters
    ----------
    timbre : Timbre
        The instrument.
    frequency : float
        Fundamental [Hz].
    seconds : float
        Length, its fade-out of 30 ms included.
    rate : int
        Sample rate [Hz].

    Returns
    -------
    np.ndarray [shape=(samples,), float32, within about -1 to 1]
        The sound, without any chance in it.
    """
    time = np.arange(round(seconds * rate)) / rate
    phase = frequency * time
    if timbre.vibrato:
        depth = frequency * (2 ** (timbre.vibrato / 1_200) - 1)
        phase = phase + depth / (2 * np.pi * 5.5) * np.sin(2 * np.pi * 5.5 * time)
    if timbre.modulation:
        phase = phase + timbre.modulation / (2 * np.pi) * np.sin(2 * np.pi * 2.76 * phase)
    sound = _voice(timbre, phase, frequency=frequency, rate=rate, time=time)
    if timbre.detune:
        apart = 2 ** (timbre.detune / 1_200)
        second = _voice(timbre, phase * apart, frequency=frequency, rate=rate, time=time)
        sound = (sound + second) / 2
    if timbre.drive:
        sound = np.tanh(timbre.drive * sound)
    shaped: np.ndarray = sound * _envelope(timbre, time)
    return shaped.astype(np.float32)


def drum(name: str, *, rate: int, rng: np.random.Generator) -> np.ndarray:
    """Render one hit of a drum, its tuning drawn at random.

    Parameters
    ----------
    name : str
        `kick`, `snare`, `clap`, `hat`, `crash`, `shaker`, `low_hand` or `high_hand`.
    rate : int
        Sample rate [Hz].
    rng : np.random.Generator
        The source of chance.

    Returns
    -------
    np.ndarray [shape=(samples,), float32, within about -1 to 1]
        The sound.
    """
    kit = _DRUMS[name]
    time = np.arange(round(6 * max(kit.tone_decay, kit.noise_decay) * rate)) / rate
    base = kit.pitch * rng.uniform(0.8, 1.25)
    bend = kit.bend * 0.03 * (1 - np.exp(-time / 0.03))
    tone = np.sin(2 * np.pi * base * (time + bend)) * np.exp(-time / kit.tone_decay)
    hiss = np.diff(rng.standard_normal(len(time) + 1), prepend=0.0)[: len(time)]
    dull = rng.standard_normal(len(time))
    noise = (kit.hiss * hiss + (1 - kit.hiss) * dull) * np.exp(-time / kit.noise_decay) / 3
    return ((1 - kit.noise) * tone + kit.noise * noise).astype(np.float32)


@dataclass(frozen=True, kw_only=True)
class _Drum:
    """A tone that falls in pitch, and noise: shares, time constants [s], pitch [Hz]."""

    pitch: float = 200.0
    bend: float = 0.0
    tone_decay: float = 0.05
    noise: float
    noise_decay: float
    hiss: float = 0.0


_DRUMS = {
    "kick": _Drum(pitch=50, bend=3.0, tone_decay=0.12, noise=0.1, noise_decay=0.01),
    "snare": _Drum(pitch=190, bend=0.5, tone_decay=0.06, noise=0.65, noise_decay=0.08),
    "clap": _Drum(noise=1.0, noise_decay=0.06, hiss=0.3),
    "hat": _Drum(noise=1.0, noise_decay=0.02, hiss=1.0),
    "crash": _Drum(noise=1.0, noise_decay=0.25, hiss=0.9),
    "shaker": _Drum(noise=0.8, noise_decay=0.035, hiss=0.8),
    "low_hand": _Drum(pitch=95, bend=0.6, tone_decay=0.14, noise=0.1, noise_decay=0.01),
    "high_hand": _Drum(pitch=290, bend=0.2, tone_decay=0.07, noise=0.25, noise_decay=0.012),
}


def _voice(
    timbre: Timbre, phase: np.ndarray, *, frequency: float, rate: int, time: np.ndarray
) -> np.ndarray:
    """Read a bright and a dull wavetable along a phase [cycles], fading from one to the other."""
    place = (phase % 1.0 * _TABLE).astype(np.int32)
    bright = np.exp(-time / timbre.dulling)
    tables = [_table(timbre, slope, frequency=frequency, rate=rate) for slope in (0.0, 1.5)]
    sound: np.ndarray = bright * tables[0][place] + (1 - bright) * tables[1][place]
    return sound


def _table(timbre: Timbre, extra_slope: float, *, frequency: float, rate: int) -> np.ndarray:
    """Sum the harmonics below the Nyquist frequency into one cycle with its peak at 1."""
    harmonic = np.arange(1, max(2, min(48, int(0.45 * rate / frequency)) + 1))
    weight = harmonic ** -(timbre.slope + extra_slope)
    weight = np.where(harmonic % 2 == 0, timbre.even * weight, weight)
    if timbre.formant:
        octaves = np.log2(harmonic * frequency / timbre.formant)
        weight = weight * (0.25 + 2 * np.exp(-(octaves**2)))
    spectrum = np.zeros(_TABLE // 2 + 1, dtype=complex)
    # Schroeder's phases keep the crest low: harmonics that begin together would make a click.
    spectrum[harmonic] = weight * np.exp(-1j * np.pi * harmonic**2 / len(harmonic))
    cycle: np.ndarray = np.fft.irfft(spectrum)
    cycle /= np.abs(cycle).max()
    return cycle


def _envelope(timbre: Timbre, time: np.ndarray) -> np.ndarray:
    """Rise, decay, and fade out at the end."""
    left = time[-1] - time if len(time) else time
    envelope: np.ndarray = np.exp(-time / timbre.decay)
    envelope *= np.minimum(time / timbre.attack, 1.0) * np.minimum(left / 0.03, 1.0)
    return envelope
