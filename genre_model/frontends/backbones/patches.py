"""The spectra beneath backbones: what a patch is of, by the name of who published it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from genre_model.errors import InvalidSpec
from genre_model.signal.mel_spec import MelSpec

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, kw_only=True)
class Patches:
    """A mel spectrum that is cut into patches [frames, bands], all of it in float32.

    Parameters
    ----------
    mel : MelSpec
    scale : callable
        Makes the values of a clip's mel spectrum [frames, bands], in place.
    """

    mel: MelSpec
    scale: Callable[[np.ndarray], np.ndarray]


def _decades(power: np.ndarray) -> np.ndarray:
    """Take log10(1 + 10,000 power)."""
    import numpy as np

    power *= np.float32(10_000.0)
    power += np.float32(1.0)
    np.log10(power, out=power)
    return power


def _stabilised(magnitude: np.ndarray) -> np.ndarray:
    """Take log(magnitude + 0.001)."""
    import numpy as np

    magnitude += np.float32(0.001)
    np.log(magnitude, out=magnitude)
    return magnitude


def _below_peak(power: np.ndarray) -> np.ndarray:
    """Take decibels below the clip's peak, of which 80 become -1 and 0 becomes 1."""
    import numpy as np

    from genre_model.signal.scales import apply_scale

    decibel = apply_scale(power, "decibel")
    decibel -= decibel.max()
    decibel /= np.float32(40.0)
    decibel += np.float32(1.0)
    np.maximum(decibel, np.float32(-1.0), out=decibel)
    return decibel


PATCHES: Mapping[str, Patches] = {
    # Pons and Serra 2019; Essentia's TensorflowInputMusiCNN is the same
    "musicnn": Patches(
        mel=MelSpec(
            sample_rate=16_000, n_fft=512, hop_length=256, n_mels=96, f_min=0.0, f_max=8_000.0
        ),
        scale=_decades,
    ),
    # Hershey et al. 2017, as Google's YAMNet has it: 25 ms every 10 ms, not centred
    "yamnet": Patches(
        mel=MelSpec(
            sample_rate=16_000,
            n_fft=512,
            hop_length=160,
            n_mels=64,
            f_min=125.0,
            f_max=7_500.0,
            frame_length=400,
            magnitude=True,
            filters="htk",
        ),
        scale=_stabilised,
    ),
    # the spectrum of the preset `default`, for nets that were trained on pictures
    "image": Patches(
        mel=MelSpec(
            sample_rate=22_050, n_fft=1_024, hop_length=512, n_mels=128, f_min=20.0, f_max=11_025.0
        ),
        scale=_below_peak,
    ),
}
"""Name -> patches, for `--frontend`."""


def patches(name: str) -> Patches:
    """Return the patches called `name`.

    Raises
    ------
    InvalidSpec
        If there are none of that name.
    """
    if name not in PATCHES:
        raise InvalidSpec(
            f"there is no frontend {name!r} of backbones; the frontends are {', '.join(PATCHES)}"
        )
    return PATCHES[name]
