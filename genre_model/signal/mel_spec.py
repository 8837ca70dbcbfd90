"""What a mel spectrum is, in numbers; imports nothing heavy."""

from dataclasses import dataclass
from typing import Literal

Scale = Literal["log1p", "decibel"]
SCALES: tuple[Scale, ...] = ("log1p", "decibel")


@dataclass(frozen=True, kw_only=True)
class MelSpec:
    """Frames and bands of a power mel spectrum; whoever makes one has checked the numbers.

    Frames are centred: a waveform of n samples has ``1 + n // hop_length`` of them.

    Parameters
    ----------
    sample_rate : int [Hz]
        Of the waveform.
    n_fft : int [samples, even]
        Length of a frame.
    hop_length : int [samples]
        From one frame to the next.
    n_mels : int
        Mel bands (Slaney's scale and norm).
    f_min, f_max : float [Hz]
        Lower edge of the lowest band and upper edge of the highest.
    """

    sample_rate: int
    n_fft: int
    hop_length: int
    n_mels: int
    f_min: float
    f_max: float

    def frames(self, samples: int) -> int:
        """Return how many centred frames a waveform of `samples` has."""
        return 1 + samples // self.hop_length if samples > 0 else 0
