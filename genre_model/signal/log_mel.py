"""Waveforms to log-mel windows."""

import numpy as np

from genre_model.signal.filters import MelBank
from genre_model.signal.mel_spec import MelSpec, Scale
from genre_model.signal.scales import apply_scale, half_of_positive
from genre_model.signal.spectrum import MelSpectrum
from genre_model.signal.waveforms import resample


class LogMelWindows:
    """Cut waveforms into log-mel windows.

    Parameters
    ----------
    spec : MelSpec
        Frames and bands.
    bank : MelBank
        Mel filters made for them.
    scale : {"log1p", "decibel"}
        See `apply_scale`.
    frames, stride : int [frames]
        Length of a window, and from one window's start to the next.
    """

    def __init__(
        self, spec: MelSpec, bank: MelBank, *, scale: Scale, frames: int, stride: int
    ) -> None:
        self.spec = spec
        self.scale = scale
        self.frames = frames
        self.stride = stride
        self._spectrum = MelSpectrum(spec, bank)

    def cut(self, waveform: np.ndarray, *, whole: int) -> np.ndarray:
        """Cut the first `whole` windows of a waveform (float32, at the spec's rate).

        Returns
        -------
        np.ndarray [shape=(whole, bands, frames), float16]
        """
        power = self._spectrum.power(waveform, frames=(whole - 1) * self.stride + self.frames)
        values = self.scaled(power)
        if self.scale == "log1p":
            values = half_of_positive(values)
        windows = np.empty((whole, self.spec.n_mels, self.frames), dtype=np.float16)
        for index, window in enumerate(windows):
            start = index * self.stride
            window[:] = values[start : start + self.frames].T
        return windows

    def power_mel(self, samples: np.ndarray, *, rate: int) -> np.ndarray:
        """Return the power mel spectrum of samples, before any logarithm.

        The numbers are those of ``librosa.feature.melspectrogram`` of the channels' mean, resampled
        by soxr HQ: within 1e-4 of the value, and 1e-11 of the clip's largest value (-110 dB),
        which is what a spectrum in single precision leaves undecided.

        Parameters
        ----------
        samples : np.ndarray [shape=(n,) or (n, channels)]
            Full scale is 1.
        rate : int [Hz]
            Their sample rate.

        Returns
        -------
        np.ndarray [shape=(bands, 1 + n // hop_length at the spec's rate), float32, power]
        """
        columns = np.asarray(samples, dtype=np.float32).reshape(len(samples), -1)
        mono = columns.sum(axis=1) / np.float32(columns.shape[1])
        waveform = resample(mono, rate=rate, new_rate=self.spec.sample_rate)
        return np.ascontiguousarray(self._spectrum.power(waveform).T)

    def scaled(self, power: np.ndarray) -> np.ndarray:
        """Apply the scale to power, in place; return it."""
        return apply_scale(power, self.scale)
