"""What frozen pretrained nets say of a clip, patch by patch."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from genre_model.errors import InvalidSpec, ModelError
from genre_model.frontends.backbones.patches import patches
from genre_model.frontends.cutting import Cutting
from genre_model.frontends.frontend import NAME, Frontend
from genre_model.frontends.window_extractor import WindowExtractor
from genre_model.signal.mel_spec import MelSpec
from genre_model.specs import FEATURES_VERSION, Spec

if TYPE_CHECKING:
    import numpy as np

    from genre_model.frontends.backbones.net import Net
    from genre_model.signal.filters import MelBank


LICENCE_ENDING = ".licence.txt"
"""Of the file beside a net's that holds the text of its licence."""


@dataclass(frozen=True, kw_only=True)
class NetSpec(Spec):
    """One net.

    Parameters
    ----------
    name : str
        What people call it; no part of a digest.
    sha256 : str [64 hex digits]
        Of its ONNX file.
    output : str
        Name of the tensor that is kept.
    values : int [1 to 65,536]
        That it gives a patch.
    """

    name: str
    sha256: str
    output: str
    values: int

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not re.fullmatch(NAME, self.name):
            raise InvalidSpec(
                f"NetSpec.name is {self.name!r}; it becomes part of a file's name, so use letters, "
                "digits, _, + and -"
            )
        if (
            not isinstance(self.sha256, str)
            or len(self.sha256) != 64
            or not set(self.sha256) <= set("0123456789abcdef")
        ):
            raise InvalidSpec(f"NetSpec.sha256 is {self.sha256!r}; it must be 64 hex digits")
        self._whole("values", 1, 65_536)

    @property
    def file(self) -> str:
        """Return the name of its ONNX file, in a store and in a model's folder."""
        return f"{self.name}-{self.sha256[:8]}.onnx"

    @property
    def licence_file(self) -> str:
        """Return the name of the text of its licence in a model's folder, where it is known."""
        return f"{self.file.removesuffix('.onnx')}{LICENCE_ENDING}"


@dataclass(frozen=True, kw_only=True)
class Backbone(Frontend):
    """A clip as what nets say of its patches, side by side: ``embedding[row, window, value]``.

    Parameters
    ----------
    kind : {"backbone"}
    name : str
        What people call it; no part of the digest.
    patches : str
        What the patches are of, a name of `backbones.patches`.
    frames : int [1 to 100,000]
        Frames of a patch, one behind the other.
    nets : tuple[NetSpec, ...]
        Which nets, in the order of their values.
    clip_seconds, longest_clip_seconds : float [s]
        As of `LogMel`; a row has as many windows as fit into `clip_seconds`.

    Raises
    ------
    InvalidSpec
        If there is no net, no such spectrum, or a patch does not fit into `clip_seconds`.
    """

    _version: ClassVar[int] = FEATURES_VERSION
    array: ClassVar[str] = "embedding"
    dimensions: ClassVar[tuple[str, ...]] = ("window", "value")
    libraries: ClassVar[tuple[str, ...]] = ("onnxruntime",)

    kind: Literal["backbone"] = "backbone"
    name: str
    patches: str
    frames: int
    nets: tuple[NetSpec, ...]
    clip_seconds: float = 30.0
    longest_clip_seconds: float = 31.0

    def __post_init__(self) -> None:
        self._one_of("kind", ("backbone",))
        self._check_name()
        patches(self.patches)
        self._whole("frames", 1, 100_000)
        self._real("clip_seconds", 0.01, 3_600.0)
        self._real("longest_clip_seconds", self.clip_seconds, 3_600.0)
        if not self.nets:
            raise InvalidSpec("Backbone.nets is empty; name one net at least")
        if not self.windows:
            raise InvalidSpec(
                f"Backbone.frames is {self.frames}, and clip_seconds of {self.clip_seconds:g} has "
                "fewer; take a net with shorter patches"
            )

    @classmethod
    def from_dict(cls, mapping: Mapping[str, Any]) -> Self:
        """Make one from a mapping as `to_dict` returns it; see `Spec.from_dict`."""
        nets = mapping.get("nets", ())
        if not isinstance(nets, list | tuple) or not all(isinstance(net, Mapping) for net in nets):
            raise InvalidSpec(f"Backbone.nets is {nets!r}; it must be a list of nets")
        return super().from_dict({**mapping, "nets": tuple(map(NetSpec.from_dict, nets))})

    @property
    def files(self) -> tuple[str, ...]:
        """Return the name of each ONNX file."""
        return tuple(net.file for net in self.nets)

    @property
    def row_shape(self) -> tuple[int, int]:
        """Return the shape of one clip's features: (windows, values)."""
        return self.windows, sum(net.values for net in self.nets)

    @property
    def windows(self) -> int:
        """Return how many patches fit into a clip."""
        samples = int(self.clip_seconds * self.mel.sample_rate)
        return self.mel.frames(samples) // self.frames

    @property
    def mel(self) -> MelSpec:
        """Return the mel spectrum that is cut into patches."""
        return patches(self.patches).mel

    @property
    def cutting(self) -> Cutting:
        """Return where the patches lie."""
        return Cutting(
            sample_rate=self.mel.sample_rate,
            hop_length=self.mel.hop_length,
            windows=self.windows,
            window_frames=self.frames,
            window_stride=self.frames,
            clip_seconds=self.clip_seconds,
            longest_clip_seconds=self.longest_clip_seconds,
            frame_length=self.mel.frame_length,
        )

    def with_filters(self, bank: MelBank) -> BackboneExtractor:
        """Make an extractor, which wants its weights; see `Frontend.with_filters`."""
        return BackboneExtractor(self, bank)

    def _identity(self) -> dict[str, object]:
        nets = [{k: v for k, v in net.to_dict().items() if k != "name"} for net in self.nets]
        return {**super()._identity(), "nets": nets}


class BackboneExtractor(WindowExtractor):
    """Turn clips into embeddings [whole windows, values].

    It pickles to a few kilobytes and the weights that it was given, and works where librosa is not
    imported. The nets are opened by `prepare`, or with the first clip.

    Parameters
    ----------
    spec : Backbone
        What features to make.
    bank : MelBank
        Mel filters made for it; `Backbone.build` makes both.
    weights : tuple[bytes, ...]
        The ONNX file of each net; see `given`.
    """

    def __init__(self, spec: Backbone, bank: MelBank, weights: tuple[bytes, ...] = ()) -> None:
        # Imported here, so that who only asks for the presets' names imports no numpy.
        from genre_model.signal.spectrum import MelSpectrum

        super().__init__(spec.cutting)
        self.spec = spec
        self.bank = bank
        self._weights = weights
        self._patches = patches(spec.patches)
        self._spectrum = MelSpectrum(self._patches.mel, bank)
        self._nets: list[Net] = []

    def __reduce__(self) -> tuple[type[BackboneExtractor], tuple[object, ...]]:
        return type(self), (self.spec, self.bank, self._weights)

    def given(self, weights: Sequence[bytes]) -> BackboneExtractor:
        """Return the same extractor with its weights; see `Extractor.given`."""
        from genre_model.frontends.backbones.net import checked_sha256

        checked = (
            checked_sha256(content, expected=net.sha256, what=f"the backbone {net.name!r}")
            for content, net in zip(weights, self.spec.nets, strict=True)
        )
        return BackboneExtractor(self.spec, self.bank, tuple(checked))

    def prepare(self) -> None:
        """Open the nets; see `Extractor.prepare`."""
        self._opened()

    def cut(self, waveform: np.ndarray, *, whole: int) -> np.ndarray:
        """Make the first `whole` windows of a waveform; see `WindowExtractor.cut`."""
        import numpy as np

        cut = self.cut_patches(waveform, whole=whole)
        values = np.concatenate(
            [
                _run(net, cut, spec)
                for net, spec in zip(self._opened(), self.spec.nets, strict=True)
            ],
            axis=1,
        )
        # what no float16 holds becomes the largest there is
        limit = float(np.finfo(np.float16).max)
        halves: np.ndarray = np.clip(values, -limit, limit).astype(np.float16)
        return halves

    def cut_patches(self, waveform: np.ndarray, *, whole: int) -> np.ndarray:
        """Make the first `whole` patches of a waveform.

        Returns
        -------
        np.ndarray [shape=(whole, frames, bands), float32]
        """
        power = self._spectrum.power(waveform, frames=self.cutting.frames_of(whole))
        return self._patches.scale(power).reshape(whole, self.spec.frames, -1)

    def _opened(self) -> list[Net]:
        from genre_model.frontends.backbones.net import Net

        if not self._weights:
            raise ModelError(f"the extractor of {self.spec.name!r} was given no weights")
        if not self._nets:
            opened = []
            for content, spec in zip(self._weights, self.spec.nets, strict=True):
                try:
                    net = Net(content, output=spec.output)
                except ModelError as error:
                    raise ModelError(f"the net {spec.name!r} does not open: {error}") from error
                if (net.values, *net.patch) != (
                    spec.values,
                    self.spec.frames,
                    self.spec.mel.n_mels,
                ):
                    raise ModelError(
                        f"the net {spec.name!r} does not fit: it gives {net.values} values of "
                        f"{net.patch[0]} frames x {net.patch[1]} bands, and its features are "
                        f"{spec.values} of {self.spec.frames} x {self.spec.mel.n_mels}"
                    )
                opened.append(net)
            self._nets = opened
        return self._nets


def _run(net: Net, patches: np.ndarray, spec: NetSpec) -> np.ndarray:
    """Run a net on patches; an error names it."""
    import numpy as np

    try:
        values = net.run(patches)
    except ModelError as error:
        raise ModelError(f"the backbone {spec.name!r}: {error}") from error
    if np.isnan(values).any():
        raise ModelError(f"the backbone {spec.name!r} says of a patch what is no number")
    return values
