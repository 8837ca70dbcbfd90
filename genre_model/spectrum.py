"""Waveforms to power mel spectra, frame by frame, quickly."""

import math

import numpy as np
import soxr
from scipy import fft

from genre_model.filters import BandGroup, MelBank, downsampler_response
from genre_model.specs import FeatureSpec

LARGEST_RATIO = 8
"""Rates up to this many times the spec's need no resampler, if the ratio is whole."""

# Samples at the spec's rate after which a resampler's ringing from a cut is no longer heard.
_RINGING = 256
# Samples of the frames that are transformed at once: these, their spectra and their power stay in
# a core's second cache.
_BATCH_SAMPLES = 1 << 16


class MelSpectrum:
    """Power mel spectra of waveforms of any rate, as if resampled to `spec.sample_rate` first.

    A waveform at r times the rate is cut into frames of r times the length, r times as far apart.
    Its spectrum has the same bins, and above them those that a resampler would have filtered away:

        rate     frame        bins                               what is used
        r * sr   r * n_fft    0 ... n_fft/2 ... r * n_fft/2      0 ... n_fft/2

    So no resampler is needed, only its roll-off (`downsampler_response`), and its work at the two
    ends of the clip. For a rate that is no multiple there is soxr. Buffers are kept: one object a
    thread.

    Parameters
    ----------
    spec : FeatureSpec
        Frame, hop and rate.
    bank : MelBank
        Mel filters made for it.
    """

    def __init__(self, spec: FeatureSpec, bank: MelBank) -> None:
        self.spec = spec
        self._bank = bank
        self._groups: dict[int, list[BandGroup]] = {}
        self._windows: dict[int, np.ndarray] = {}
        self._padded = np.empty(0, dtype=np.float32)

    def power(
        self, waveform: np.ndarray, *, rate: int, frames: int | None = None, gain: float = 1.0
    ) -> np.ndarray:
        """Return the power mel spectrum of a waveform.

        Parameters
        ----------
        waveform : np.ndarray [shape=(samples,), float32]
            With zeros assumed on either side.
        rate : int [Hz]
            Its sample rate.
        frames : int, optional
            How many frames from the first on; all of them if not given.
        gain : float
            What to multiply the waveform with.

        Returns
        -------
        np.ndarray [shape=(bands, frames), float32, power]
        """
        samples = self.samples(len(waveform), rate=rate)
        frames = self.spec.frames(samples) if frames is None else frames
        ratio, rest = divmod(rate, self.spec.sample_rate)
        if rest or ratio > LARGEST_RATIO:
            waveform = soxr.resample(waveform, rate, self.spec.sample_rate, quality="HQ")[:samples]
            ratio = 1
        mel = self._transform(waveform, frames=frames, ratio=ratio, gain=gain)
        if ratio > 1:
            self._mend_start(mel, waveform, ratio=ratio, gain=gain)
            self._mend_end(mel, waveform, samples=samples, ratio=ratio, gain=gain)
        return mel

    def samples(self, length: int, *, rate: int) -> int:
        """Return how many samples `length` at `rate` are at the spec's rate, as librosa counts."""
        return math.ceil(length * self.spec.sample_rate / rate)

    def _transform(
        self, waveform: np.ndarray, *, frames: int, ratio: int, gain: float
    ) -> np.ndarray:
        """Return the power mel spectrum of a waveform at `ratio` times the spec's rate."""
        self._prepare(ratio)
        length, hop = self.spec.n_fft * ratio, self.spec.hop_length * ratio
        window = self._windows[ratio] * np.float32(gain / ratio)
        padded = self._pad(waveform, before=length // 2, total=length + (frames - 1) * hop)
        cut = np.lib.stride_tricks.sliding_window_view(padded, length)[::hop]
        mel = np.empty((self.spec.n_mels, frames), dtype=np.float32)
        batch = max(1, _BATCH_SAMPLES // length)
        for start in range(0, frames, batch):
            part = slice(start, min(start + batch, frames))
            power = self._power(cut[part] * window)
            for group in self._groups[ratio]:
                np.matmul(group.weights, power[:, group.bins].T, out=mel[group.bands, part])
        return mel

    def _mend_start(
        self, mel: np.ndarray, waveform: np.ndarray, *, ratio: int, gain: float
    ) -> None:
        """Compute anew, by resampling, the frames that reach over the clip's start.

        Where a clip begins with a jump, the resampler rings before it, and that is cut off.
        """
        half, hop = self.spec.n_fft // 2, self.spec.hop_length
        count = min(mel.shape[1], math.ceil((half + _RINGING) / hop))
        needed = (count - 1) * hop + half + _RINGING
        start = soxr.resample(waveform[: needed * ratio], ratio, 1, quality="HQ")
        mel[:, :count] = self._transform(start, frames=count, ratio=1, gain=gain)

    def _mend_end(
        self, mel: np.ndarray, waveform: np.ndarray, *, samples: int, ratio: int, gain: float
    ) -> None:
        """Compute anew, by resampling, the frames that reach over the clip's end."""
        half, hop = self.spec.n_fft // 2, self.spec.hop_length
        first = max(0, (samples - half - _RINGING) // hop + 1)
        if first >= mel.shape[1]:
            return
        before = max(0, (first * hop - half - _RINGING) // hop)
        end = soxr.resample(waveform[before * hop * ratio :], ratio, 1, quality="HQ")
        end = end[: samples - before * hop]
        frames = mel.shape[1] - before
        mel[:, first:] = self._transform(end, frames=frames, ratio=1, gain=gain)[
            :, first - before :
        ]

    def _prepare(self, ratio: int) -> None:
        """Make the window and the filters of a ratio, once."""
        if ratio not in self._groups:
            response = downsampler_response(ratio, self.spec.n_fft)
            phase = 2 * np.pi * np.arange(self.spec.n_fft * ratio) / (self.spec.n_fft * ratio)
            self._groups[ratio] = self._bank.groups(response=response)
            self._windows[ratio] = (0.5 - 0.5 * np.cos(phase)).astype(np.float32)

    def _pad(self, waveform: np.ndarray, *, before: int, total: int) -> np.ndarray:
        """Return `total` samples that begin with `before` zeros and then follow the waveform."""
        if len(self._padded) < total:
            self._padded = np.empty(total, dtype=np.float32)
        padded = self._padded[:total]
        end = min(total, before + len(waveform))
        padded[:before] = 0.0
        padded[before:end] = waveform[: end - before]
        padded[end:] = 0.0
        return padded

    def _power(self, frames: np.ndarray) -> np.ndarray:
        """Return the power of the lower bins of windowed frames: float32 [frames, bins]."""
        spectrum = fft.rfft(frames, axis=1)
        # Real and imaginary parts lie side by side: two squares and a sum, where abs takes roots.
        parts = spectrum.view(np.float32)[:, : self.spec.n_fft + 2]
        squares = np.square(parts)
        power: np.ndarray = squares[:, 0::2] + squares[:, 1::2]
        return power
