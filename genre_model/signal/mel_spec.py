"""What a mel spectrum is, in numbers; imports nothing heavy."""

from dataclasses import dataclass
from typing import Literal

Scale = Literal["log1p", "decibel"]
SCALES: tuple[Scale, ...] = ("log1p", "decibel")

Filters = Literal["slaney", "htk"]


def count_frames(samples: int, *, hop_length: int, frame_length: int = 0) -> int:
    """Return how many frames a waveform of `samples` has.

    Parameters
    ----------
    samples, hop_length : int [samples]
    frame_length : int [samples]
        Of frames that lie inside the waveform; 0 where they are centred, and reach over its ends.

    Examples
    --------
    >>> count_frames(1600, hop_length=160), count_frames(1600, hop_length=160, frame_length=400)
    (11, 8)
    """
    spare = samples - frame_length
    return 1 + spare // hop_length if samples > 0 and spare >= 0 else 0


@dataclass(frozen=True, kw_only=True)
class MelSpec:
    """Frames and bands of a mel spectrum; whoever makes one has checked the numbers.

    Frames are centred and reach over the ends of the waveform, unless they have a `frame_length`.

    Parameters
    ----------
    sample_rate : int [Hz]
        Of the waveform.
    n_fft : int [samples, even]
        Length of a frame's transform.
    hop_length : int [samples]
        From one frame to the next.
    n_mels : int
        Mel bands.
    f_min, f_max : float [Hz]
        Lower edge of the lowest band and upper edge of the highest.
    frame_length : int [samples, at most n_fft]
        Of frames that lie inside the waveform, padded with zeros to `n_fft`; 0: centred ones.
    magnitude : bool
        Of the spectrum's magnitude and not of its power.
    filters : {"slaney", "htk"}
        Slaney's scale and norm, or HTK's scale without norm.
    """

    sample_rate: int
    n_fft: int
    hop_length: int
    n_mels: int
    f_min: float
    f_max: float
    frame_length: int = 0
    magnitude: bool = False
    filters: Filters = "slaney"

    def frames(self, samples: int) -> int:
        """Return how many frames a waveform of `samples` has."""
        return count_frames(samples, hop_length=self.hop_length, frame_length=self.frame_length)
