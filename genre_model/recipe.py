"""A recipe: which network is trained, how, and on what it is evaluated."""

from dataclasses import dataclass
from typing import ClassVar

from genre_model.errors import InvalidSpec
from genre_model.specs import SPLITS, TRAINING_VERSION, Spec

MOST_EPOCHS, LARGEST_SEED = 10_000, 2**32 - 1


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
        self._whole("epochs", 1, MOST_EPOCHS)
        self._whole("batch_size", 1, 65_536)
        self._real("learning_rate", 1e-7, 1.0)
        self._whole("patience", 1, MOST_EPOCHS)
        self._whole("seed", 0, LARGEST_SEED)
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
