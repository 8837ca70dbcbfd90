"""Classical statistics: what was known of a window before networks, and the yardstick of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from genre_model.errors import InvalidSpec
from genre_model.frontends.cutting import Cutting
from genre_model.frontends.frontend import Frontend
from genre_model.frontends.window_extractor import WindowExtractor
from genre_model.signal.mel_spec import MelSpec
from genre_model.specs import FEATURES_VERSION

if TYPE_CHECKING:
    import numpy as np

    from genre_model.signal.filters import MelBank

_LEAST_FRAMES = 9
STATISTICS = 4
"""Values a coefficient: mean and deviation, of itself and of its slope."""


@dataclass(frozen=True, kw_only=True)
class Mfcc(Frontend):
    """A clip as statistics of cepstral coefficients, a window: ``embedding[row, window, value]``.

    The coefficients are those of ``librosa.feature.mfcc`` on decibels (re 1, no lower than -100),
    whatever else is in the clip; librosa cuts off at 80 dB below the clip's loudest value.

    Parameters
    ----------
    kind : {"mfcc"}
    name : str
        What people call it; no part of the digest.
    sample_rate : int [Hz, 1,000 to 192,000]
        Rate at which the spectrum is taken.
    n_fft : int [samples, 16 to 65,536, even]
        Length of a frame.
    hop_length : int [samples, 1 to n_fft]
        From one frame to the next.
    n_mels : int [1 to 1,024]
        Mel bands, from 0 Hz to half the rate.
    coefficients : int [1 to n_mels]
        Cepstral coefficients, the first of which is the loudness.
    windows, window_frames, window_stride, clip_seconds, longest_clip_seconds
        As of `LogMel`; a window has 9 frames at least.

    Raises
    ------
    InvalidSpec
        If a value is out of its range, or the windows do not fit into `clip_seconds`.
    """

    _version: ClassVar[int] = FEATURES_VERSION
    array: ClassVar[str] = "embedding"
    dimensions: ClassVar[tuple[str, ...]] = ("window", "value")

    kind: Literal["mfcc"] = "mfcc"
    name: str = "mfcc"
    sample_rate: int = 22_050
    n_fft: int = 2_048
    hop_length: int = 512
    n_mels: int = 128
    coefficients: int = 20
    windows: int = 10
    window_frames: int = 128
    window_stride: int = 128
    clip_seconds: float = 30.0
    longest_clip_seconds: float = 31.0

    def __post_init__(self) -> None:
        self._one_of("kind", ("mfcc",))
        self._check_name()
        self._whole("sample_rate", 1_000, 192_000)
        self._whole("n_fft", 16, 65_536)
        self._whole("hop_length", 1, self.n_fft)
        self._whole("n_mels", 1, 1_024)
        self._whole("coefficients", 1, self.n_mels)
        self._check_windows(least_frames=_LEAST_FRAMES)
        if self.n_fft % 2:
            raise InvalidSpec(f"Mfcc.n_fft is {self.n_fft}; it must be even")

    @property
    def mel(self) -> MelSpec:
        """Return the mel spectrum that the coefficients are of."""
        return MelSpec(
            sample_rate=self.sample_rate,
            n_fft=self.n_fft,
            hop_length=self.hop_length,
            n_mels=self.n_mels,
            f_min=0.0,
            f_max=self.sample_rate / 2,
        )

    @property
    def row_shape(self) -> tuple[int, int]:
        """Return the shape of one clip's features: (windows, values)."""
        return self.windows, STATISTICS * self.coefficients

    @property
    def cutting(self) -> Cutting:
        """Return where the windows lie."""
        return Cutting.of(self)

    def with_filters(self, bank: MelBank) -> MfccExtractor:
        """Make an extractor; see `Frontend.with_filters`."""
        return MfccExtractor(self, bank)


MFCC = Mfcc()


class MfccExtractor(WindowExtractor):
    """Turn clips into statistics [whole windows, values].

    It pickles to a few kilobytes, and works where librosa is not imported.

    Parameters
    ----------
    spec : Mfcc
        What features to make.
    bank : MelBank
        Mel filters made for `spec`; `Mfcc.build` makes both.
    """

    def __init__(self, spec: Mfcc, bank: MelBank) -> None:
        # Imported here, so that who only asks for the presets' names imports no numpy.
        from genre_model.signal.spectrum import MelSpectrum

        super().__init__(spec.cutting)
        self.spec = spec
        self.bank = bank
        self._spectrum = MelSpectrum(spec.mel, bank)

    def __reduce__(self) -> tuple[type[MfccExtractor], tuple[Mfcc, MelBank]]:
        return type(self), (self.spec, self.bank)

    def cut(self, waveform: np.ndarray, *, whole: int) -> np.ndarray:
        """Make the first `whole` windows of a waveform; see `WindowExtractor.cut`."""
        import numpy as np

        from genre_model.signal.cepstrum import coefficients, statistics
        from genre_model.signal.scales import apply_scale

        power = self._spectrum.power(waveform, frames=self.cutting.frames_of(whole))
        values = coefficients(apply_scale(power, "decibel"), count=self.spec.coefficients)
        length, stride = self.spec.window_frames, self.spec.window_stride
        starts = range(0, whole * stride, stride)
        rows = [statistics(values[start : start + length]) for start in starts]
        return np.stack(rows).astype(np.float16)
