"""Waveforms to mel spectra, frame by frame, quickly."""

import math

import numpy as np
from scipy import fft

from genre_model.signal.filters import MelBank
from genre_model.signal.mel_spec import MelSpec

# Samples of the frames that are transformed at once: these, their spectra and their power (0.8 MB)
# stay in a core's second cache.
_BATCH_SAMPLES = 1 << 16


class MelSpectrum:
    """Mel spectra of waveforms, the numbers of ``librosa.feature.melspectrogram``.

    Parameters
    ----------
    spec : MelSpec
        Frame, hop and rate.
    bank : MelBank
        Mel filters made for it.
    """

    def __init__(self, spec: MelSpec, bank: MelBank) -> None:
        self.spec = spec
        self._groups = bank.groups()
        self._length = spec.frame_length or spec.n_fft
        self._before = 0 if spec.frame_length else spec.n_fft // 2
        # Periodic, as for every spectrum: a frame's sample after the last would be zero again.
        phase = 2 * np.pi * np.arange(self._length) / self._length
        self._hann = (0.5 - 0.5 * np.cos(phase)).astype(np.float32)

    def power(self, waveform: np.ndarray, *, frames: int | None = None) -> np.ndarray:
        """Return the mel spectrum of a waveform.

        Parameters
        ----------
        waveform : np.ndarray [shape=(samples,), float32]
            At the spec's rate; zeros are assumed on either side.
        frames : int, optional
            How many frames from the first on, no more than there are; all by default.

        Returns
        -------
        np.ndarray [shape=(frames, bands), float32, power (magnitude where the spec says so)]
            Frame by frame, not band by band as librosa has it.
        """
        frames = self.spec.frames(len(waveform)) if frames is None else frames
        before, hop = self._before, self.spec.hop_length
        mel = np.empty((frames, self.spec.n_mels), dtype=np.float32)
        # Only frames that reach over an end are padded: to copy all takes as long as their mel.
        first = min(frames, math.ceil(before / hop))
        inside = (len(waveform) + before - self._length) // hop + 1
        last = max(first, min(frames, inside))
        if last > first:
            self._transform(waveform[first * hop - before :], out=mel[first:last])
        self._transform_padded(waveform, start=-before, out=mel[:first])
        self._transform_padded(waveform, start=last * hop - before, out=mel[last:])
        return mel

    def _transform_padded(self, waveform: np.ndarray, *, start: int, out: np.ndarray) -> None:
        """Transform frames from sample `start` on; where there are no samples there are zeros."""
        if not len(out):
            return
        padded = np.zeros((len(out) - 1) * self.spec.hop_length + self._length, dtype=np.float32)
        inside = waveform[max(0, start) : max(0, start + len(padded))]
        before = max(0, -start)
        padded[before : before + len(inside)] = inside
        self._transform(padded, out=out)

    def _transform(self, waveform: np.ndarray, *, out: np.ndarray) -> None:
        """Transform frames from the first sample on, as many as `out` has."""
        length, hop = self._length, self.spec.hop_length
        cut = np.lib.stride_tricks.sliding_window_view(waveform, length)[::hop]
        batch = max(1, _BATCH_SAMPLES // length)
        frames = np.empty((min(batch, len(out)), length), dtype=np.float32)
        for start in range(0, len(out), batch):
            mel = out[start : start + batch]
            np.multiply(cut[start : start + len(mel)], self._hann, out=frames[: len(mel)])
            spectrum = fft.rfft(frames[: len(mel)], self.spec.n_fft, axis=1)
            # Real and imaginary parts lie side by side: two squares and a sum; abs takes a root.
            squares = np.square(spectrum.view(np.float32))
            power = squares[:, 0::2] + squares[:, 1::2]
            if self.spec.magnitude:
                np.sqrt(power, out=power)
            for group in self._groups:
                np.matmul(power[:, group.bins], group.weights, out=mel[:, group.bands])
