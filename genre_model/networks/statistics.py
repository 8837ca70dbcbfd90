"""What the networks normalise their input by; `learning.normalisation` fits it."""

from dataclasses import dataclass
from typing import Self

import numpy as np


@dataclass(frozen=True)
class InputStatistics:
    """What a network subtracts, and divides by: a mel band each, or a value of an embedding.

    Parameters
    ----------
    mean : np.ndarray [shape=(n,), float32, the features' unit]
    deviation : np.ndarray [shape=(n,), float32, the features' unit, above 0]
    """

    mean: np.ndarray
    deviation: np.ndarray

    @property
    def size(self) -> int:
        """Return the number of bands or values."""
        return len(self.mean)

    @classmethod
    def identity(cls, size: int) -> Self:
        """Return the statistics that change nothing."""
        return cls(np.zeros(size, np.float32), np.ones(size, np.float32))
