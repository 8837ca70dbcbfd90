"""The spectra beneath backbones: what a patch is of, by the name of who published it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from genre_model.errors import InvalidSpec
from genre_model.signal.mel_spec import MelSpec


@dataclass(frozen=True, kw_only=True)
class Patches:
    """A mel spectrum that is cut into patches [frames, bands], all of it in float32.

    Parameters
    ----------
    mel : MelSpec
    offset, factor : float
        A value is log10(offset + factor * power).
    """

    mel: MelSpec
    offset: float
    factor: float


PATCHES: Mapping[str, Patches] = {
    # Pons and Serra 2019; Essentia's TensorflowInputMusiCNN is the same
    "musicnn": Patches(
        mel=MelSpec(
            sample_rate=16_000, n_fft=512, hop_length=256, n_mels=96, f_min=0.0, f_max=8_000.0
        ),
        offset=1.0,
        factor=10_000.0,
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
