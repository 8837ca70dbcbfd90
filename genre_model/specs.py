"""Specifications: the only configuration there is, checked when made, each with a digest."""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar, Literal, Self

from genre_model.errors import InvalidSpec

FEATURES_VERSION = 1
"""Raised whenever the code gives other feature values for the same `FeatureSpec`."""

TRAINING_VERSION = 1
"""Raised whenever the code trains another model from the same specs and rows."""

Scale = Literal["log1p", "decibel"]
SCALES: tuple[Scale, ...] = ("log1p", "decibel")
SPLITS = ("training", "validation", "test")


@dataclass(frozen=True, kw_only=True)
class Spec:
    """What all specifications share: a strict form as a mapping, and a digest."""

    # Without this Prefect drops unknown keys of a dataclass parameter in silence.
    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}
    _version: ClassVar[int] = 1

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as a mapping of plain values, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, mapping: Mapping[str, Any]) -> Self:
        """Make a spec from a mapping as `to_dict` returns it; missing keys take their default.

        Parameters
        ----------
        mapping : Mapping[str, Any]
            Field names and values.

        Returns
        -------
        Self

        Raises
        ------
        InvalidSpec
            If a key is not a field, a field without a default is missing, or a value is refused.
        """
        known = [each.name for each in fields(cls)]
        if unknown := sorted(set(mapping) - set(known)):
            raise InvalidSpec(
                f"{cls.__name__} has no field {', '.join(map(repr, unknown))}; "
                f"its fields are {', '.join(known)}"
            )
        try:
            return cls(**mapping)
        except TypeError as error:
            raise InvalidSpec(f"{cls.__name__} cannot be made of {dict(mapping)!r}: {error}") from (
                error
            )

    def digest(self) -> str:
        """Return the sha256 (64 hex digits) of the fields and of the version of the code."""
        content = {"spec": type(self).__name__, "version": self._version, **self._identity()}
        text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()

    def _identity(self) -> dict[str, Any]:
        """Return the fields that make two specs different."""
        return self.to_dict()

    def _whole(self, name: str, low: int, high: int) -> None:
        """Refuse the field `name` unless it is a whole number in [low, high]."""
        value = getattr(self, name)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise InvalidSpec(
                f"{type(self).__name__}.{name} is {value!r}; "
                f"it must be a whole number from {low} to {high}"
            )

    def _real(self, name: str, low: float, high: float) -> None:
        """Refuse the field `name` unless it is a number in [low, high]; store it as a float."""
        value = getattr(self, name)
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not math.isfinite(value) or not low <= value <= high:
            raise InvalidSpec(
                f"{type(self).__name__}.{name} is {value!r}; "
                f"it must be a number from {low:g} to {high:g}"
            )
        # 10000 and 10000.0 are one spec, so they must have one digest.
        object.__setattr__(self, name, float(value))

    def _one_of(self, name: str, allowed: tuple[str, ...]) -> None:
        """Refuse the field `name` unless it is one of the `allowed` words."""
        value = getattr(self, name)
        if value not in allowed:
            raise InvalidSpec(
                f"{type(self).__name__}.{name} is {value!r}; it must be one of {', '.join(allowed)}"
            )


@dataclass(frozen=True, kw_only=True)
class FeatureSpec(Spec):
    """How audio becomes log-mel windows.

    Frames are centred: a clip of n samples at `sample_rate` has ``1 + n // hop_length`` frames.
    Window w takes the frames from ``w * window_stride`` on, `window_frames` of them, and is whole
    if the clip has them all.

    Parameters
    ----------
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

    def _check_name(self) -> None:
        plain = isinstance(self.name, str) and self.name.replace("_", "").isalnum()
        if not plain or not self.name.isascii():
            raise InvalidSpec(
                f"FeatureSpec.name is {self.name!r}; "
                "it becomes part of a folder's name, so use letters, digits and _"
            )

    def _check_together(self) -> None:
        if self.n_fft % 2:
            raise InvalidSpec(f"FeatureSpec.n_fft is {self.n_fft}; it must be even")
        if self.f_min >= self.f_max:
            raise InvalidSpec(
                f"FeatureSpec.f_min is {self.f_min:g} Hz; it must be below f_max, {self.f_max:g} Hz"
            )
        have = self.frames(int(self.clip_seconds * self.sample_rate))
        if have < self.frames_needed:
            raise InvalidSpec(
                f"FeatureSpec.windows is {self.windows}: that takes {self.frames_needed} frames, "
                f"but clip_seconds of {self.clip_seconds:g} has {have}; "
                "take fewer or shorter windows"
            )

    @classmethod
    def preset(cls, name: str) -> "FeatureSpec":
        """Return the preset called `name`.

        Raises
        ------
        InvalidSpec
            If there is none of that name.

        Examples
        --------
        >>> FeatureSpec.preset("default").row_shape
        (10, 128, 128)
        """
        if name not in FEATURE_PRESETS:
            raise InvalidSpec(
                f"there is no feature preset {name!r}; the presets are {', '.join(FEATURE_PRESETS)}"
            )
        return FEATURE_PRESETS[name]

    @property
    def key(self) -> str:
        """Return the name of this spec's array: its name and 8 hex digits of its digest."""
        return f"{self.name}-{self.digest()[:8]}"

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

    def frames(self, samples: int) -> int:
        """Return how many centred frames a clip of `samples` at `sample_rate` has."""
        return 1 + samples // self.hop_length if samples > 0 else 0

    def whole_windows(self, samples: int) -> int:
        """Return how many of its windows are whole in a clip of `samples` at `sample_rate`.

        Examples
        --------
        >>> spec = FeatureSpec.preset("default")
        >>> spec.whole_windows(30 * 22_050), spec.whole_windows(3 * 22_050), spec.whole_windows(0)
        (10, 1, 0)
        """
        spare = self.frames(samples) - self.window_frames
        return min(self.windows, 1 + spare // self.window_stride) if spare >= 0 else 0

    def _identity(self) -> dict[str, Any]:
        return {key: value for key, value in self.to_dict().items() if key != "name"}


FEATURE_PRESETS: Mapping[str, FeatureSpec] = {
    "seed": FeatureSpec(
        name="seed",
        n_fft=512,
        hop_length=256,
        n_mels=64,
        f_min=0.0,
        f_max=10_000.0,
        scale="log1p",
        window_frames=256,
        window_stride=258,
    ),
    "default": FeatureSpec(),
}
"""The presets by name."""


@dataclass(frozen=True, kw_only=True)
class ModelSpec(Spec):
    """Which network is trained.

    Parameters
    ----------
    network : str
        Name of a network in `genre_model.networks`, which refuses the names it does not know.
    """

    _version: ClassVar[int] = TRAINING_VERSION

    network: str = "default"

    def __post_init__(self) -> None:
        if not isinstance(self.network, str) or not self.network:
            raise InvalidSpec(
                f"ModelSpec.network is {self.network!r}; it must be a network's name, as 'default'"
            )


@dataclass(frozen=True, kw_only=True)
class TrainSpec(Spec):
    """How a network is trained.

    Parameters
    ----------
    epochs : int [1 to 10,000]
        Passes over the training windows at most.
    batch_size : int [windows, 1 to 65,536]
        Windows of one step.
    learning_rate : float [1e-7 to 1]
        Of the optimiser, at its start.
    patience : int [epochs, 1 to 10,000]
        Epochs without a better validation track accuracy after which training stops.
    seed : int [0 to 2**32 - 1]
        Source of every random draw.
    label_smoothing : float [0 to 0.5]
        Share of the target spread evenly over all genres.
    pooled_shards : int [shards, 1 to 1,000]
        Shards whose windows are shuffled together; two such pools are held in memory.
    """

    _version: ClassVar[int] = TRAINING_VERSION

    epochs: int = 40
    batch_size: int = 64
    learning_rate: float = 1e-3
    patience: int = 8
    seed: int = 0
    label_smoothing: float = 0.0
    pooled_shards: int = 4

    def __post_init__(self) -> None:
        self._whole("epochs", 1, 10_000)
        self._whole("batch_size", 1, 65_536)
        self._real("learning_rate", 1e-7, 1.0)
        self._whole("patience", 1, 10_000)
        self._whole("seed", 0, 2**32 - 1)
        self._real("label_smoothing", 0.0, 0.5)
        self._whole("pooled_shards", 1, 1_000)


@dataclass(frozen=True, kw_only=True)
class EvaluateSpec(Spec):
    """What a model is evaluated on.

    Parameters
    ----------
    split : {"training", "validation", "test"}
        Whose tracks are predicted.
    """

    _version: ClassVar[int] = TRAINING_VERSION

    split: str = "test"

    def __post_init__(self) -> None:
        self._one_of("split", SPLITS)
