"""Clips to windows, whatever a window holds: what is read, what is whole, what is kept."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Self

from genre_model.frontends.clip import ClipWindows, Sound
from genre_model.frontends.cutting import Cutting
from genre_model.signal.status import ClipDefect, Status

if TYPE_CHECKING:
    import numpy as np

    from genre_model.signal.audio import AudioSource
    from genre_model.signal.segments import Heard
    from genre_model.signal.waveforms import Clip


class WindowExtractor(ABC):
    """An `Extractor` that lacks only what a window holds.

    Its buffers (5 MiB) are kept from clip to clip: one extractor a thread.

    Parameters
    ----------
    cutting : Cutting
        Where the windows lie.
    """

    def __init__(self, cutting: Cutting) -> None:
        # Imported here, so that who only asks for the presets' names imports no soundfile or numpy.
        from genre_model.signal.waveforms import ClipReader

        self.cutting = cutting
        self._reader = ClipReader(
            cutting.sample_rate,
            clip_seconds=cutting.clip_seconds,
            longest_seconds=cutting.longest_clip_seconds,
        )

    @abstractmethod
    def cut(self, waveform: np.ndarray, *, whole: int) -> np.ndarray:
        """Make the first `whole` windows of a waveform.

        Parameters
        ----------
        waveform : np.ndarray [shape=(samples,), float32]
            At the cutting's rate.
        whole : int [at least 1]
            How many windows are whole in it.

        Returns
        -------
        np.ndarray [shape=(whole, ...), float16, finite]
        """

    def given(self, weights: Sequence[bytes]) -> Self:  # noqa: ARG002 - most need none
        """Return an extractor with its weights; see `Extractor.given`."""
        return self

    def prepare(self) -> None:  # noqa: B027 - most need nothing
        """Open what it works with, for most nothing; see `Extractor.prepare`."""

    def windows(self, audio: AudioSource) -> ClipWindows:
        """Turn one clip into windows; see `Extractor.windows`."""
        try:
            return self._windows_of(self._reader.read(audio))
        except ClipDefect as defect:
            return ClipWindows(defect.status, defect.detail, None, 0.0)

    def _windows_of(self, clip: Clip) -> ClipWindows:
        whole, sound = self.cutting.whole_windows(len(clip.waveform)), _sound(clip)
        if not whole:
            least = self.cutting.least_seconds
            detail = f"{clip.seconds:.2f} s decode, a window takes {least:.2f} s"
            return ClipWindows(Status.SHORT, detail, None, clip.seconds, sound)
        defect = clip.level.defect
        if defect is not None and not defect[0].kept:
            return ClipWindows(*defect, None, clip.seconds, sound)
        windows = self.cut(clip.waveform, whole=whole)
        return ClipWindows(*self._kept_status(clip, whole), windows, clip.seconds, sound)

    def _kept_status(self, clip: Clip, whole: int) -> tuple[Status, str]:
        if whole < self.cutting.windows:
            detail = f"{clip.seconds:.2f} s decode: {whole} whole windows"
            return Status.PARTIAL, "; ".join(filter(None, (detail, clip.unread)))
        if clip.unread:
            return Status.PARTIAL, clip.unread
        return clip.level.defect or (Status.OK, "")

    def long_windows(
        self, audio: AudioSource, heard: Heard | None = None
    ) -> Iterator[tuple[float, np.ndarray]]:
        """Turn a whole file into windows; see `Extractor.long_windows`."""
        from genre_model.signal.segments import read_segments

        rate = self.cutting.sample_rate
        length, step = self.cutting.segment_samples
        for start, waveform in read_segments(
            audio, rate=rate, length=length, step=step, heard=heard
        ):
            whole = self.cutting.whole_windows(len(waveform))
            if whole:
                yield start / rate, self.cut(waveform, whole=whole)
            elif not start:
                seconds = len(waveform) / rate
                raise ClipDefect(Status.SHORT, f"{seconds:.2f} s decode, less than a window")


def _sound(clip: Clip) -> Sound:
    from genre_model.signal.level import decibels

    level = decibels(clip.level.mean_square)
    return Sound(
        sample_rate=clip.rate,
        channels=clip.level.channels,
        level_db=level,
        file_s=clip.file_seconds,
    )
