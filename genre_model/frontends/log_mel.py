"""Log-mel windows: ten images of a clip, one after another.

clip     |--------------------------- 30 s ---------------------------|
windows  [  0  ][  1  ][  2  ]  ...                            [  9  ]  bands x frames each
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from genre_model.errors import InvalidSpec
from genre_model.frontends.clip import ClipWindows
from genre_model.frontends.frontend import Frontend
from genre_model.signal.mel_spec import SCALES, MelSpec, Scale
from genre_model.signal.status import ClipDefect, Status
from genre_model.specs import FEATURES_VERSION

if TYPE_CHECKING:
    import numpy as np

    from genre_model.signal.audio import AudioSource
    from genre_model.signal.filters import MelBank
    from genre_model.signal.segments import Heard
    from genre_model.signal.waveforms import Clip


@dataclass(frozen=True, kw_only=True)
class LogMel(Frontend):
    """A clip as windows of a mel spectrogram: ``log_mel[row, window, band, frame]``.

    Frames are centred: a clip of n samples at `sample_rate` has ``1 + n // hop_length`` frames.
    Window w takes the frames from ``w * window_stride`` on, `window_frames` of them, and is whole
    if the clip has them all.

    Parameters
    ----------
    kind : {"log_mel"}
    name : str
        What people call it; no part of the digest.
    sample_rate : int [Hz, 1,000 to 192,000]
        Rate at which the spectrogram is taken.
    n_fft : int [samples, 16 to 65,536, even]
        Length of a frame.
    hop_length : int [samples, 1 to n_fft]
        From one frame to the next.
    n_mels : int [1 to 1,024]
        Mel bands (Slaney's scale and norm).
    f_min, f_max : float [Hz, 0 to sample_rate / 2]
        Lower edge of the lowest band and upper edge of the highest.
    scale : {"log1p", "decibel"}
        log(1 + power), or 10 * log10(max(power, 1e-10)) (dB re 1).
    windows : int [1 to 10,000]
        Windows of a clip.
    window_frames, window_stride : int [frames, at least 1]
        Length of a window, and from one window's start to the next.
    clip_seconds : float [s]
        What is read from the middle of a long file.
    longest_clip_seconds : float [s, at least clip_seconds]
        Longest file that is read from its first sample on.

    Raises
    ------
    InvalidSpec
        If a value is out of its range, or the windows do not fit into `clip_seconds`.
    """

    _version: ClassVar[int] = FEATURES_VERSION
    array: ClassVar[str] = "log_mel"
    dimensions: ClassVar[tuple[str, ...]] = ("window", "band", "frame")

    kind: Literal["log_mel"] = "log_mel"
    name: str = "default"
    sample_rate: int = 22_050
    n_fft: int = 1_024
    hop_length: int = 512
    n_mels: int = 128
    f_min: float = 20.0
    f_max: float = 11_025.0
    scale: Scale = "decibel"
    windows: int = 10
    window_frames: int = 128
    window_stride: int = 128
    clip_seconds: float = 30.0
    longest_clip_seconds: float = 31.0

    def __post_init__(self) -> None:
        self._one_of("kind", ("log_mel",))
        self._check_name()
        self._whole("sample_rate", 1_000, 192_000)
        self._whole("n_fft", 16, 65_536)
        self._whole("hop_length", 1, self.n_fft)
        self._whole("n_mels", 1, 1_024)
        self._real("f_min", 0.0, self.sample_rate / 2)
        self._real("f_max", 0.0, self.sample_rate / 2)
        self._one_of("scale", SCALES)
        self._whole("windows", 1, 10_000)
        self._whole("window_frames", 1, 1_000_000)
        self._whole("window_stride", 1, 1_000_000)
        self._real("clip_seconds", 0.01, 3_600.0)
        self._real("longest_clip_seconds", self.clip_seconds, 3_600.0)
        self._check_together()

    def _check_together(self) -> None:
        if self.n_fft % 2:
            raise InvalidSpec(f"LogMel.n_fft is {self.n_fft}; it must be even")
        if self.f_min >= self.f_max:
            raise InvalidSpec(
                f"LogMel.f_min is {self.f_min:g} Hz; it must be below f_max, {self.f_max:g} Hz"
            )
        have = self.mel.frames(int(self.clip_seconds * self.sample_rate))
        if have < self.frames_needed:
            raise InvalidSpec(
                f"LogMel.windows is {self.windows}: that takes {self.frames_needed} frames, "
                f"but clip_seconds of {self.clip_seconds:g} has {have}; "
                "take fewer or shorter windows"
            )

    @property
    def mel(self) -> MelSpec:
        """Return the mel spectrum that the windows are cut from."""
        return MelSpec(
            sample_rate=self.sample_rate,
            n_fft=self.n_fft,
            hop_length=self.hop_length,
            n_mels=self.n_mels,
            f_min=self.f_min,
            f_max=self.f_max,
        )

    @property
    def row_shape(self) -> tuple[int, int, int]:
        """Return the shape of one clip's features: (windows, bands, frames of a window)."""
        return self.windows, self.n_mels, self.window_frames

    @property
    def frames_needed(self) -> int:
        """Return how many frames all windows of a clip reach over."""
        return (self.windows - 1) * self.window_stride + self.window_frames

    @property
    def window_seconds(self) -> float:
        """Return the time from one window's start to the next, in seconds."""
        return self.window_stride * self.hop_length / self.sample_rate

    @property
    def window_length_seconds(self) -> float:
        """Return the time that one window reaches over, in seconds."""
        return self.window_frames * self.hop_length / self.sample_rate

    def whole_windows(self, samples: int) -> int:
        """Return how many of its windows are whole in a clip of `samples` at `sample_rate`.

        Examples
        --------
        >>> spec = LogMel()
        >>> spec.whole_windows(30 * 22_050), spec.whole_windows(3 * 22_050), spec.whole_windows(0)
        (10, 1, 0)
        """
        spare = self.mel.frames(samples) - self.window_frames
        return min(self.windows, 1 + spare // self.window_stride) if spare >= 0 else 0

    def build(self) -> LogMelExtractor:
        """Make an extractor; imports librosa (5 s), which those it is sent to do without."""
        from genre_model.signal.filters import MelBank

        return LogMelExtractor(self, MelBank.build(self.mel))


DEFAULT = LogMel()
NOTEBOOK = LogMel(
    name="notebook",
    n_fft=512,
    hop_length=256,
    n_mels=64,
    f_min=0.0,
    f_max=10_000.0,
    scale="log1p",
    window_frames=256,
    window_stride=258,
)


class LogMelExtractor:
    """Turn clips into log-mel windows.

    It pickles to a few kilobytes, and works where librosa is not imported. Its buffers (5 MiB) are
    kept from clip to clip: one extractor a thread.

    Parameters
    ----------
    spec : LogMel
        What features to make.
    bank : MelBank
        Mel filters made for `spec`; `LogMel.build` makes both.

    Attributes
    ----------
    log_mel : LogMelWindows
        Makes the windows of waveforms.
    """

    def __init__(self, spec: LogMel, bank: MelBank) -> None:
        # Imported here, so that who only asks for the presets' names imports no soundfile or numpy.
        from genre_model.signal.log_mel import LogMelWindows
        from genre_model.signal.waveforms import ClipReader

        self.spec = spec
        self.bank = bank
        self.log_mel = LogMelWindows(
            spec.mel,
            bank,
            scale=spec.scale,
            frames=spec.window_frames,
            stride=spec.window_stride,
        )
        self._reader = ClipReader(
            spec.sample_rate,
            clip_seconds=spec.clip_seconds,
            longest_seconds=spec.longest_clip_seconds,
        )

    def __reduce__(self) -> tuple[type[LogMelExtractor], tuple[LogMel, MelBank]]:
        return type(self), (self.spec, self.bank)

    def windows(self, audio: AudioSource) -> ClipWindows:
        """Turn one clip into windows [whole windows, bands, frames]; see `Extractor.windows`."""
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
        defect = clip.level.defect
        if defect is not None and not defect[0].kept:
            return ClipWindows(*defect, None, clip.seconds)
        windows = self.log_mel.cut(clip.waveform, whole=whole)
        return ClipWindows(*self._kept_status(clip, whole), windows, clip.seconds)

    def _kept_status(self, clip: Clip, whole: int) -> tuple[Status, str]:
        if whole < self.spec.windows:
            detail = f"{clip.seconds:.2f} s decode: {whole} whole windows"
            return Status.PARTIAL, "; ".join(filter(None, (detail, clip.unread)))
        if clip.unread:
            return Status.PARTIAL, clip.unread
        return clip.level.defect or (Status.OK, "")

    def long_windows(
        self, audio: AudioSource, heard: Heard | None = None
    ) -> Iterator[tuple[float, np.ndarray]]:
        """Turn a whole file into windows [n, bands, frames]; see `Extractor.long_windows`."""
        from genre_model.signal.segments import read_segments

        spec = self.spec
        length = int(spec.clip_seconds * spec.sample_rate)
        step = min(length, spec.windows * spec.window_stride * spec.hop_length)
        segments = read_segments(
            audio, rate=spec.sample_rate, length=length, step=step, heard=heard
        )
        for start, waveform in segments:
            whole = spec.whole_windows(len(waveform))
            if whole:
                yield start / spec.sample_rate, self.log_mel.cut(waveform, whole=whole)
            elif not start:
                seconds = len(waveform) / spec.sample_rate
                raise ClipDefect(Status.SHORT, f"{seconds:.2f} s decode, less than a window")
