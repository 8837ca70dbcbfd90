"""Clips to log-mel windows: the feature extractor."""

import math
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from genre_model.signal.audio import AudioSource, ClipDefect, Status
from genre_model.signal.filters import MelBank
from genre_model.signal.scales import apply_scale, half_of_positive
from genre_model.signal.spectrum import MelSpectrum
from genre_model.signal.waveforms import Clip, ClipReader, read_segments, resample
from genre_model.specs import FeatureSpec

QUIET_RMS = 1e-3
"""RMS of the channels' mean (full scale is 1, so -60 dBFS) below which a clip is `quiet`."""


@dataclass(frozen=True)
class ClipWindows:
    """The features of one clip.

    Parameters
    ----------
    status : Status
        What became of it.
    detail : str
        One sentence for people; empty for `ok`.
    windows : np.ndarray [shape=(whole windows, bands, frames), float16] | None
        None unless the status is kept. All values are finite.
    seconds : float [s]
        Length of the audio that was decoded; 0 if there is none.
    """

    status: Status
    detail: str
    windows: np.ndarray | None
    seconds: float


class FeatureExtractor:
    """Turn clips into log-mel windows.

    It pickles to a few kilobytes, and works where librosa is not imported. Its buffers (5 MiB) are
    kept from clip to clip: one extractor a thread.

    Parameters
    ----------
    spec : FeatureSpec
        What features to make.
    bank : MelBank
        Mel filters made for `spec`; `build` makes both.
    """

    def __init__(self, spec: FeatureSpec, bank: MelBank) -> None:
        self.spec = spec
        self.bank = bank
        self._spectrum = MelSpectrum(spec, bank)
        self._reader = ClipReader(
            spec.sample_rate,
            clip_seconds=spec.clip_seconds,
            longest_seconds=spec.longest_clip_seconds,
        )

    @classmethod
    def build(cls, spec: FeatureSpec) -> "FeatureExtractor":
        """Make an extractor; imports librosa (5 s), which those it is sent to do without."""
        return cls(spec, MelBank.build(spec))

    def __reduce__(self) -> tuple[type["FeatureExtractor"], tuple[FeatureSpec, MelBank]]:
        return type(self), (self.spec, self.bank)

    def windows(self, audio: AudioSource) -> ClipWindows:
        """Turn one clip into windows, or say why there are none.

        Parameters
        ----------
        audio : bytes, str or os.PathLike
            The content of an audio file of any format that libsndfile reads, or its path.

        Returns
        -------
        ClipWindows
            Whatever the audio is like; `status` says what became of it.

        Raises
        ------
        AudioError
            If `audio` is neither bytes nor a path.
        """
        try:
            return self._windows_of(self._reader.read(audio))
        except ClipDefect as defect:
            return ClipWindows(defect.status, defect.detail, None, 0.0)

    def _windows_of(self, clip: Clip) -> ClipWindows:
        whole = self.spec.whole_windows(len(clip.waveform))
        if not whole:
            least = (self.spec.window_frames - 1) * self.spec.hop_length / self.spec.sample_rate
            detail = f"{clip.seconds:.2f} s decode, a window takes {least:.2f} s"
            return ClipWindows(Status.SHORT, detail, None, clip.seconds)
        if clip.silent:
            detail = "no sample reaches half a step of 16 bits"
            return ClipWindows(Status.SILENT, detail, None, clip.seconds)
        status, detail = self._kept_status(clip, whole)
        return ClipWindows(status, detail, self.cut(clip.waveform, whole), clip.seconds)

    def cut(self, waveform: np.ndarray, whole: int) -> np.ndarray:
        """Cut the first `whole` windows of a waveform (float32, at the spec's rate).

        Returns
        -------
        np.ndarray [shape=(whole, bands, window_frames), float16]
        """
        spec = self.spec
        frames = (whole - 1) * spec.window_stride + spec.window_frames
        power = self._spectrum.power(waveform, frames=frames)
        values = self.scaled(power)
        if spec.scale == "log1p":
            values = half_of_positive(values)
        windows = np.empty((whole, spec.n_mels, spec.window_frames), dtype=np.float16)
        for index, window in enumerate(windows):
            start = index * spec.window_stride
            window[:] = values[start : start + spec.window_frames].T
        return windows

    def _kept_status(self, clip: Clip, whole: int) -> tuple[Status, str]:
        if whole < self.spec.windows:
            return Status.PARTIAL, f"{clip.seconds:.2f} s decode: {whole} whole windows"
        if clip.mean_square < QUIET_RMS**2:
            level = 10 * math.log10(max(clip.mean_square, 1e-30))
            return Status.QUIET, f"its RMS is {level:.0f} dBFS"
        return Status.OK, ""

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
        """Apply the spec's scale to power, in place; return it."""
        return apply_scale(power, self.spec.scale)


class _Extractors(threading.local):
    """One extractor a thread and spec: they keep buffers."""

    def __init__(self) -> None:
        self.by_spec: dict[FeatureSpec, FeatureExtractor] = {}

    def of(self, spec: FeatureSpec) -> FeatureExtractor:
        if spec not in self.by_spec:
            self.by_spec[spec] = FeatureExtractor.build(spec)
        return self.by_spec[spec]


_extractors = _Extractors()


def clip_windows(
    audio: AudioSource, *, preset: str = "default", spec: FeatureSpec | None = None
) -> ClipWindows:
    """Turn one clip into windows; the simple way, for a few clips.

    The first call of a thread builds an extractor, which imports librosa.

    Parameters
    ----------
    audio : bytes, str or os.PathLike
        The content of an audio file of any format that libsndfile reads, or its path.
    preset : str
        Name of a preset.
    spec : FeatureSpec, optional
        Instead of a preset.

    Returns
    -------
    ClipWindows
        Never an error for bad audio: `status` says what became of it.

    Raises
    ------
    InvalidSpec
        If there is no such preset.
    AudioError
        If `audio` is neither bytes nor a path.

    Examples
    --------
    >>> clip_windows(b"no audio").status
    <Status.UNDECODABLE: 'undecodable'>
    """
    return _extractors.of(spec or FeatureSpec.preset(preset)).windows(audio)


def power_mel(samples: np.ndarray, *, rate: int, spec: FeatureSpec) -> np.ndarray:
    """Return the power mel spectrum of samples; see `FeatureExtractor.power_mel`."""
    return _extractors.of(spec).power_mel(samples, rate=rate)


def long_windows(
    path: AudioSource, extractor: FeatureExtractor
) -> Iterator[tuple[float, np.ndarray]]:
    """Turn a whole file of any length into windows, one clip's worth at a time.

    The windows follow each other without a gap, or as far apart as the spec has them; what is left
    at the end and is no whole window is dropped. Memory does not grow with the file.

    Parameters
    ----------
    path : bytes, str or os.PathLike
        The content of an audio file of any format that libsndfile reads, or its path.
    extractor : FeatureExtractor
        Makes the windows.

    Yields
    ------
    tuple[float, np.ndarray]
        Start in seconds of the first of some windows, and the windows (float16 [n, bands, frames],
        n at most `spec.windows`): window w starts ``w * spec.window_seconds`` later.

    Raises
    ------
    ClipDefect
        `missing`, `unreadable`, `empty`, `undecodable`, or `short` if there is no whole window.
    """
    spec = extractor.spec
    length = int(spec.clip_seconds * spec.sample_rate)
    step = min(length, spec.windows * spec.window_stride * spec.hop_length)
    segments = read_segments(path, rate=spec.sample_rate, length=length, step=step)
    for start, waveform in segments:
        whole = spec.whole_windows(len(waveform))
        if whole:
            yield start / spec.sample_rate, extractor.cut(waveform, whole)
        elif not start:
            seconds = len(waveform) / spec.sample_rate
            raise ClipDefect(Status.SHORT, f"{seconds:.2f} s decode, less than a window")
