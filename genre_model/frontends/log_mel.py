"""Log-mel windows: ten images of a clip, bands x frames each, one after another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from genre_model.errors import InvalidSpec
from genre_model.frontends.cutting import Cutting
from genre_model.frontends.frontend import Frontend
from genre_model.frontends.window_extractor import WindowExtractor
from genre_model.signal.mel_spec import SCALES, MelSpec, Scale
from genre_model.specs import FEATURES_VERSION

if TYPE_CHECKING:
    import numpy as np

    from genre_model.signal.filters import MelBank


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
        self._check_windows()
        if self.n_fft % 2:
            raise InvalidSpec(f"LogMel.n_fft is {self.n_fft}; it must be even")
        if self.f_min >= self.f_max:
            raise InvalidSpec(
                f"LogMel.f_min is {self.f_min:g} Hz; it must be below f_max, {self.f_max:g} Hz"
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
    def cutting(self) -> Cutting:
        """Return where the windows lie."""
        return Cutting.of(self)

    def with_filters(self, bank: MelBank) -> LogMelExtractor:
        """Make an extractor; see `Frontend.with_filters`."""
        return LogMelExtractor(self, bank)


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


class LogMelExtractor(WindowExtractor):
    """Turn clips into log-mel windows [whole windows, bands, frames].

    It pickles to a few kilobytes, and works where librosa is not imported.

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
        # Imported here, so that who only asks for the presets' names imports no numpy.
        from genre_model.signal.log_mel import LogMelWindows

        super().__init__(spec.cutting)
        self.spec = spec
        self.bank = bank
        self.log_mel = LogMelWindows(
            spec.mel,
            bank,
            scale=spec.scale,
            frames=spec.window_frames,
            stride=spec.window_stride,
        )

    def __reduce__(self) -> tuple[type[LogMelExtractor], tuple[LogMel, MelBank]]:
        return type(self), (self.spec, self.bank)

    def cut(self, waveform: np.ndarray, *, whole: int) -> np.ndarray:
        """Make the first `whole` windows of a waveform; see `WindowExtractor.cut`."""
        return self.log_mel.cut(waveform, whole=whole)
