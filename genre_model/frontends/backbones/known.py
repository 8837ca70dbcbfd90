"""The backbones that are known by name: where they are from, and what they must say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Wheel:
    """A file of the package index.

    Parameters
    ----------
    project, version : str
    bytes : int
    sha256 : str [64 hex digits]
    """

    project: str
    version: str
    bytes: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Known:
    """What comes with one wheel.

    Parameters
    ----------
    wheel : Wheel
    converter : str
        Module with `convert(wheel: Path, net: str) -> bytes`, an ONNX file; imports TensorFlow.
    nets : Mapping[str, tuple[float, ...]]
        Name -> the first values of what it says of `fixed_patch`.
    frontend : str
        What the patches are of.
    frames : int
        Of a patch.
    output : str
        The tensor that is kept.
    licence, licence_member : str
        Its name, and the wheel's file that holds its text.
    source, citation : str
    """

    wheel: Wheel
    converter: str
    nets: Mapping[str, tuple[float, ...]]
    frontend: str
    frames: int
    output: str
    licence: str
    licence_member: str
    source: str
    citation: str


KNOWN: Mapping[str, Known] = {
    "musicnn": Known(
        wheel=Wheel(
            project="musicnn",
            version="0.1.0",
            bytes=29_292_476,
            sha256="f38a4890c648c1ddbb141c5d96d2b0a8cfcd36746002d896989f7b88beb65cfa",
        ),
        converter="genre_model.frontends.backbones.musicnn",
        nets={
            "mtt-musicnn": (0.75227, 1.07884, 1.44827, -0.18606, -0.07870, 2.82577, 0.17684),
            "msd-musicnn": (1.07939, 5.11401, -0.28483, -0.27512, 2.17883, 5.36155, 0.62824),
            "mtt-vgg": (-0.18341, 1.46920, -0.28924, -0.53230, 0.75862, 0.40321, -0.07034),
            "msd-vgg": (1.31892, 1.08707, -0.20763, -0.04169, -0.63636, -0.36847, -0.53329),
        },
        frontend="musicnn",
        frames=187,
        output="embedding",
        licence="ISC",
        licence_member="musicnn-0.1.0.dist-info/LICENSE.md",
        source="the wheel musicnn 0.1.0, converted",
        citation=(
            "J. Pons and X. Serra, musicnn: Pre-trained convolutional neural networks for music "
            "audio tagging, late-breaking demo, ISMIR 2019"
        ),
    ),
}
"""Name, for `genre backbone add` -> what that adds."""

TOGETHER: Mapping[str, tuple[str, ...]] = {"musicnn": ("mtt-musicnn", "msd-vgg")}
"""Preset -> the backbones that stand side by side in it."""


def added_by(net: str) -> str:
    """Name what `genre backbone add` takes to add a net: of those that are not known, itself.

    Examples
    --------
    >>> added_by("msd-vgg"), added_by("effnet")
    ('musicnn', 'effnet')
    """
    return next((name for name, known in KNOWN.items() if net in known.nets), net)
