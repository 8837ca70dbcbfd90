"""A backbone whose net takes its process down on loud music; the child finds it by PYTHONPATH."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np

from genre_model.frontends.backbone import BackboneExtractor


class AbortingExtractor(BackboneExtractor):
    def given(self, weights: Sequence[bytes]) -> AbortingExtractor:
        return AbortingExtractor(self.spec, self.bank, tuple(weights))

    def cut(self, waveform: np.ndarray, *, whole: int) -> np.ndarray:
        if np.abs(waveform).max() > 0.1:
            os.abort()
        return super().cut(waveform, whole=whole)
