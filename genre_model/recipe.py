"""A recipe: which network is trained, how, and on what it is evaluated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import NoneType
from typing import ClassVar, Literal, get_args

from genre_model.errors import InvalidSpec
from genre_model.specs import SPLITS, TRAINING_VERSION, Spec

MOST_EPOCHS, LARGEST_SEED, LONGEST_CROP = 10_000, 2**32 - 1, 100

Optimiser = Literal["adam", "adamw", "sgd"]
Schedule = Literal["cosine", "constant", "plateau"]
ClassWeights = Literal["none", "balanced"]
Application = Literal[
    "EfficientNetV2B0", "EfficientNetV2B1", "EfficientNetV2B2", "EfficientNetV2B3"
]
Feed = Literal["auto", "resident", "streaming"]
Precision = Literal["float32", "bfloat16", "float16"]
Jit = Literal["auto", "on", "off"]
Split = Literal["training", "validation", "test"]

_USED_WITH: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "momentum": ("optimiser", ("sgd",)),
    "weight_decay": ("optimiser", ("adamw", "sgd")),
    "plateau_epochs": ("schedule", ("plateau",)),
    "plateau_factor": ("schedule", ("plateau",)),
}
"""Settings that mean something only beside these values of another."""
_OF_SEVERAL_DEVICES: Mapping[str, tuple[object, ...]] = {
    "accumulation": (1,),
    "ema": (0.0,),
    "feed": ("auto", "streaming"),
    "jit": ("auto", "off"),
    "precision": ("float32", "bfloat16"),
}
"""Values of settings with which several devices can share a training."""


@dataclass(frozen=True, kw_only=True)
class ModelSpec(Spec):
    """Which network is trained.

    Parameters
    ----------
    network : str
        Name of a network in `genre_model.networks`, which refuses the names it does not know.
    application : str
        Of `imagenet`: which net of `keras.applications`.
    weights : str
        Of `imagenet`: path of the weights that the net begins with; '' has Keras download them.
        What makes an id is what is in the file, not where it lies.
    """

    _version: ClassVar[int] = TRAINING_VERSION
    _called: ClassVar[str] = "model"

    network: str = "default"
    application: Application = "EfficientNetV2B0"
    weights: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.network, str) or not self.network:
            raise InvalidSpec(
                f"model.network is {self.network!r}; it must be a network's name, as 'default'"
            )
        self._one_of("application", get_args(Application))
        if not isinstance(self.weights, str):
            raise InvalidSpec(f"model.weights is {self.weights!r}; it must be a file's path")

    def _identity(self) -> dict[str, object]:
        counted = {"network", *self.changed()} - {"weights"}
        return {name: value for name, value in self.to_dict().items() if name in counted}


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
        Of the optimiser, at its highest.
    patience : int [epochs, 0 to 10,000]
        Epochs without a better validation track accuracy after which training stops; with 0 all
        epochs are trained. The best epoch is kept either way.
    seed : int [0 to 2**32 - 1]
        Source of every random draw.
    label_smoothing : float [0 to 0.5]
        Share of the target spread evenly over all genres.
    pooled_shards : int [shards, 1 to 1,000]
        Shards whose windows are shuffled together; two such pools are held in memory.
    optimiser : {"adam", "adamw", "sgd"}
        `adamw` is Adam with `weight_decay`, without which they are the same.
    momentum : float [0 to 0.999]
        Of `sgd`.
    weight_decay : float [0 to 1]
        Of `adamw` and `sgd`, apart from the gradient (Loshchilov and Hutter 2019): each step takes
        this share times the learning rate from every weight, biases among them.
    clip_norm : float [0 to 1e6]
        Norm that the gradients of all weights together are scaled down to; 0 leaves them.
    schedule : {"cosine", "constant", "plateau"}
        How the learning rate goes on after the warm-up: along half a cosine to zero at the last
        epoch, not at all, or down by `plateau_factor` whenever there was no better epoch for
        `plateau_epochs`.
    warmup_epochs : int [0 to 10,000, fewer than `epochs`]
        In which the learning rate rises, step by step on a line.
    plateau_epochs : int [1 to 10,000]
        Of `plateau`: epochs without a better one, after which the learning rate falls.
    plateau_factor : float [0.01 to 0.99]
        Of `plateau`: what it is multiplied by each time.
    class_weights : {"none", "balanced"}
        `balanced` weighs windows so that every genre weighs the same.
    ema : float [0 to 0.9999]
        Momentum of a moving average of the weights, which validates and is kept in their place;
        0 for none.
    accumulation : int [steps, 1 to 1,024]
        Steps whose mean gradient makes one change of the weights.
    head_epochs : int [0 to 10,000]
        Of `imagenet`: epochs at the beginning in which only what stands behind the pretrained net
        is trained. All is trained in the others, at a tenth of the rate, with a schedule and an
        optimiser of their own; batch normalisation stays as it came.
    feed : {"auto", "resident", "streaming"}
        Whether training windows are kept where the network computes, or read again in each epoch;
        by their size and what is free there. It changes no number, and no model's id.
    precision : {"float32", "bfloat16", "float16"}
        What layers compute in while they are trained; float16 with a loss scale. Weights are
        float32, as is all of the network that is validated, kept and exported.
    jit : {"auto", "on", "off"}
        Whether steps are compiled (XLA); by the device and the backend. It changes no model's id.
    devices : int [1 to 64]
        GPUs (without any: CPUs) that share each batch.
    """

    _version: ClassVar[int] = TRAINING_VERSION
    _called: ClassVar[str] = "training"
    # Only these make an id at their default, too: what came later leaves the ids as they were.
    _first: ClassVar[tuple[str, ...]] = (
        *("epochs", "batch_size", "learning_rate", "patience", "seed"),
        *("label_smoothing", "pooled_shards"),
    )

    epochs: int = 40
    batch_size: int = 64
    learning_rate: float = 1e-3
    patience: int = 8
    seed: int = 0
    label_smoothing: float = 0.0
    pooled_shards: int = 4
    optimiser: Optimiser = "adam"
    momentum: float = 0.9
    weight_decay: float = 0.0
    clip_norm: float = 0.0
    schedule: Schedule = "cosine"
    warmup_epochs: int = 0
    plateau_epochs: int = 3
    plateau_factor: float = 0.5
    class_weights: ClassWeights = "none"
    ema: float = 0.0
    accumulation: int = 1
    head_epochs: int = 5
    feed: Feed = "auto"
    precision: Precision = "float32"
    jit: Jit = "auto"
    devices: int = 1

    def __post_init__(self) -> None:
        self._whole("epochs", 1, MOST_EPOCHS)
        self._whole("batch_size", 1, 65_536)
        self._real("learning_rate", 1e-7, 1.0)
        self._whole("patience", 0, MOST_EPOCHS)
        self._whole("seed", 0, LARGEST_SEED)
        self._real("label_smoothing", 0.0, 0.5)
        self._whole("pooled_shards", 1, 1_000)
        self._one_of("optimiser", get_args(Optimiser))
        self._real("momentum", 0.0, 0.999)
        self._real("weight_decay", 0.0, 1.0)
        self._real("clip_norm", 0.0, 1e6)
        self._one_of("schedule", get_args(Schedule))
        self._whole("warmup_epochs", 0, MOST_EPOCHS)
        self._whole("plateau_epochs", 1, MOST_EPOCHS)
        self._real("plateau_factor", 0.01, 0.99)
        self._one_of("class_weights", get_args(ClassWeights))
        self._real("ema", 0.0, 0.9999)
        self._whole("accumulation", 1, 1_024)
        self._whole("head_epochs", 0, MOST_EPOCHS)
        self._one_of("feed", get_args(Feed))
        self._one_of("precision", get_args(Precision))
        self._one_of("jit", get_args(Jit))
        self._whole("devices", 1, 64)
        self._check_together()

    def _check_together(self) -> None:
        """Refuse a warm-up without end, and what the chosen optimiser or schedule does not use."""
        if self.warmup_epochs >= self.epochs:
            raise InvalidSpec(
                f"training.warmup_epochs is {self.warmup_epochs} and training.epochs "
                f"{self.epochs}; warm up for fewer epochs than there are"
            )
        for name, shared in _OF_SEVERAL_DEVICES.items():
            if self.devices > 1 and getattr(self, name) not in shared:
                raise InvalidSpec(
                    f"training.devices is {self.devices} and training.{name} "
                    f"{getattr(self, name)!r}, which one device has alone; leave one of them out"
                )
        for name in self.unused():
            other, users = _USED_WITH[name]
            if name in self.changed():
                raise InvalidSpec(
                    f"training.{name} is {getattr(self, name)!r}, which training.{other} "
                    f"{getattr(self, other)!r} has no use for; leave it out, or set "
                    f"training.{other} to {' or '.join(users)}"
                )

    def unused(self) -> list[str]:
        """Name the fields that mean nothing beside the others."""
        return [
            name for name, (other, users) in _USED_WITH.items() if getattr(self, other) not in users
        ]

    def _identity(self) -> dict[str, object]:
        counted = {*self._first, *self.changed()} - {"feed", "jit"}
        return {name: value for name, value in self.to_dict().items() if name in counted}


@dataclass(frozen=True, kw_only=True)
class AugmentSpec(Spec):
    """How training windows are changed at random, anew in every epoch; by default they are not.

    Parameters
    ----------
    crop_windows : int [windows, 0 to 100]
        Length of crops anywhere in a track's joined windows, which stand in for its windows: 1 for
        a window's own; with 0 the windows are taken as they are.
    gain : float [dB, 0 to 40]
        How far a whole window becomes louder or softer at most.
    equaliser : float [dB, 0 to 40]
        How far each of five points over the bands is lifted or lowered at most, with straight lines
        between them.
    time_masks : int [0 to 20]
        Stripes of frames that are hidden behind their band's mean (Park et al. 2019,
        "SpecAugment").
    time_mask : float [0 to 1]
        Share of a window's frames that such a stripe has at most.
    band_masks : int [0 to 20]
        Stripes of bands that are hidden in the same way.
    band_mask : int [bands, 1 to 1,024]
        Bands that such a stripe has at most.
    mixup : float [0 to 10]
        Parameter of the beta distribution of the shares in which two windows of a batch, and their
        targets, are mixed (Zhang et al. 2018, "mixup"); 0: they are not.
    """

    _version: ClassVar[int] = TRAINING_VERSION
    _called: ClassVar[str] = "augmentation"

    crop_windows: int = 0
    gain: float = 0.0
    equaliser: float = 0.0
    time_masks: int = 0
    time_mask: float = 0.2
    band_masks: int = 0
    band_mask: int = 16
    mixup: float = 0.0

    def __post_init__(self) -> None:
        self._whole("crop_windows", 0, LONGEST_CROP)
        self._real("gain", 0.0, 40.0)
        self._real("equaliser", 0.0, 40.0)
        self._whole("time_masks", 0, 20)
        self._real("time_mask", 0.0, 1.0)
        self._whole("band_masks", 0, 20)
        self._whole("band_mask", 1, 1_024)
        self._real("mixup", 0.0, 10.0)
        for name in self.unused():
            if name in self.changed():
                raise InvalidSpec(
                    f"augmentation.{name} is {getattr(self, name)!r}, and there are no such masks; "
                    f"leave it out, or set augmentation.{name}s to 2"
                )

    def unused(self) -> list[str]:
        """Name the fields that mean nothing beside the others."""
        return [name for name in ("time_mask", "band_mask") if not getattr(self, f"{name}s")]


@dataclass(frozen=True, kw_only=True)
class EvaluateSpec(Spec):
    """What a model is evaluated on; no part of its id.

    Parameters
    ----------
    split : {"training", "validation", "test"}
        Whose tracks are predicted.
    """

    _version: ClassVar[int] = TRAINING_VERSION
    _called: ClassVar[str] = "evaluation"

    split: Split = "test"

    def __post_init__(self) -> None:
        self._one_of("split", SPLITS)


@dataclass(frozen=True, kw_only=True)
class Recipe(Spec):
    """What a person may say of a training and what comes after it, in tables.

    Parameters
    ----------
    model : ModelSpec, optional
        Which network; by default the usual one for the rows.
    augmentation : AugmentSpec
        How training windows are changed.
    training : TrainSpec
        How it is trained.
    evaluation : EvaluateSpec
        What it is evaluated on.
    """

    _version: ClassVar[int] = TRAINING_VERSION

    model: ModelSpec | None = None
    augmentation: AugmentSpec = AugmentSpec()
    training: TrainSpec = TrainSpec()
    evaluation: EvaluateSpec = EvaluateSpec()

    def __post_init__(self) -> None:
        for name, kinds in (
            ("model", (ModelSpec, NoneType)),
            ("augmentation", AugmentSpec),
            ("training", TrainSpec),
            ("evaluation", EvaluateSpec),
        ):
            if not isinstance(table := getattr(self, name), kinds):
                raise InvalidSpec(f"{name} is {table!r}; it must be a table of settings")
        if self.augmentation.mixup and self.training.devices > 1:
            raise InvalidSpec(
                f"augmentation.mixup is {self.augmentation.mixup:g} and training.devices "
                f"{self.training.devices}, but windows are mixed within one device's batch; leave "
                "one out"
            )

    @property
    def says_of_training(self) -> bool:
        """Whether anything is said but of the evaluation."""
        return any(name != "evaluation" for name in self.changed())

    @classmethod
    def from_dict(cls, mapping: Mapping[str, object]) -> Recipe:
        """Make a recipe of nested mappings, as `to_dict` returns them.

        Raises
        ------
        InvalidSpec
            If a table or a key is not known, or a value is refused.
        """
        made = {
            name: TABLES[name].from_dict(given)
            if name in TABLES and isinstance(given, Mapping)
            else given
            for name, given in mapping.items()
        }
        return super().from_dict(made)


TABLES: Mapping[str, type[Spec]] = {
    "model": ModelSpec,
    "augmentation": AugmentSpec,
    "training": TrainSpec,
    "evaluation": EvaluateSpec,
}
"""What a recipe's tables are called, and hold."""
