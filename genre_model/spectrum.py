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
# Samples of the frames that are transformed at once: these, their spectra and their power (0.7 MB)
# stay in a core's second cache.
_BATCH_SAMPLES = 1 << 16


class MelSpectrum:
    """Power mel spectra of waveforms of any rate, as if resampled to `spec.sample_rate` first.

    A waveform at r times the rate is cut into frames of r times the length, r times as far apart.
    Its spectrum has the same bins, and above them those that a resampler would have filtered away:

        rate     frame        bins                               what is used
        r * sr   r * n_fft    0 ... n_fft/2 ... r * n_fft/2      0 ... n_fft/2

    So no resampler is needed but for its roll-off (`downsampler_response`) and for the few frames
    that reach over an end of the clip: where a clip begins with a jump, a resampler rings before
    it, and that is cut off. For a rate that is no multiple there is soxr.

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
            How many centred frames from the first on, no more than there are; all by default.
        gain : float
            What to multiply the waveform with.

        Returns
        -------
        np.ndarray [shape=(frames, bands), float32, power]
            Frame by frame, not band by band as librosa has it.
        """
        samples = self.samples(len(waveform), rate=rate)
        frames = self.spec.frames(samples) if frames is None else frames
        ratio, rest = divmod(rate, self.spec.sample_rate)
        if rest or ratio > LARGEST_RATIO:
            waveform = soxr.resample(waveform, rate, self.spec.sample_rate, quality="HQ")[:samples]
            ratio = 1
        mel = np.empty((frames, self.spec.n_mels), dtype=np.float32)
        half, hop = self.spec.n_fft // 2, self.spec.hop_length
        first = min(frames, math.ceil((half + _RINGING) / hop))
        last = min(frames, (samples - half - _RINGING) // hop + 1)
        if last <= first:
            first = last = 0
        else:
            inside = waveform[(first * hop - half) * ratio :]
            self._transform(inside, out=mel[first:last], ratio=ratio, gain=gain)
            reach = (first - 1) * hop + half + _RINGING
            self._transform_end(waveform[: reach * ratio], out=mel[:first], ratio=ratio, gain=gain)
        if last < frames:
            before = max(0, (last * hop - half - _RINGING) // hop)
            end = waveform[before * hop * ratio :]
            self._transform_end(end, skip=last - before, out=mel[last:], ratio=ratio, gain=gain)
        return mel

    def samples(self, length: int, *, rate: int) -> int:
        """Return how many samples `length` at `rate` are at the spec's rate, as librosa counts."""
        return math.ceil(length * self.spec.sample_rate / rate)

    def _transform_end(
        self, waveform: np.ndarray, *, out: np.ndarray, ratio: int, gain: float, skip: int = 0
    ) -> None:
        """Transform frames of one end of a clip, the first `skip` left out: resampled, padded."""
        samples = math.ceil(len(waveform) / ratio)
        if ratio > 1:
            waveform = soxr.resample(waveform, ratio, 1, quality="HQ")[:samples]
        half, hop = self.spec.n_fft // 2, self.spec.hop_length
        padded = np.zeros(max(half + samples, (skip + len(out)) * hop + 2 * half), np.float32)
        padded[half : half + len(waveform)] = waveform
        self._transform(padded[skip * hop :], out=out, ratio=1, gain=gain)

    def _transform(self, waveform: np.ndarray, *, out: np.ndarray, ratio: int, gain: float) -> None:
        """Transform frames that start at the waveform's first sample, as many as `out` has."""
        if ratio not in self._groups:
            self._prepare(ratio)
        window = self._windows[ratio] * np.float32(gain / ratio)
        cut = np.lib.stride_tricks.sliding_window_view(waveform, len(window))
        cut = cut[:: self.spec.hop_length * ratio]
        batch = max(1, _BATCH_SAMPLES // len(window))
        frames = np.empty((batch, len(window)), dtype=np.float32)
        for start in range(0, len(out), batch):
            mel = out[start : start + batch]
            np.multiply(cut[start : start + len(mel)], window, out=frames[: len(mel)])
            power = self._power(frames[: len(mel)])
            for group in self._groups[ratio]:
                np.matmul(power[:, group.bins], group.weights, out=mel[:, group.bands])

    def _prepare(self, ratio: int) -> None:
        """Make the window and the filters of a ratio, once."""
        phase = 2 * np.pi * np.arange(self.spec.n_fft * ratio) / (self.spec.n_fft * ratio)
        self._windows[ratio] = (0.5 - 0.5 * np.cos(phase)).astype(np.float32)
        response = downsampler_response(ratio, self.spec.n_fft)
        self._groups[ratio] = self._bank.groups(response=response)

    def _power(self, frames: np.ndarray) -> np.ndarray:
        """Return the power of the lower bins of windowed frames: float32 [frames, bins]."""
        spectrum = fft.rfft(frames, axis=1)
        # Real and imaginary parts lie side by side: two squares and a sum, where abs takes roots.
        squares = np.square(spectrum.view(np.float32)[:, : self.spec.n_fft + 2])
        power: np.ndarray = squares[:, 0::2] + squares[:, 1::2]
        return power
