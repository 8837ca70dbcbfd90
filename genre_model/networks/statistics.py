"""What the networks normalise their input by; `learning.normalisation` fits it."""

from dataclasses import dataclass
from typing import Self

import numpy as np


@dataclass(frozen=True)
class BandStatistics:
    """What a network subtracts from, and divides by, in each mel band.

    Parameters
    ----------
    mean : np.ndarray [shape=(bands,), float32, the features' unit]
    deviation : np.ndarray [shape=(bands,), float32, the features' unit, above 0]
    """

    mean: np.ndarray
    deviation: np.ndarray

    @property
    def bands(self) -> int:
        """Return the number of mel bands."""
        return len(self.mean)

    @classmethod
    def identity(cls, bands: int) -> Self:
        """Return the statistics that change nothing."""
        return cls(np.zeros(bands, np.float32), np.ones(bands, np.float32))
