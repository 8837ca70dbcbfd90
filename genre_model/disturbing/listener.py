"""A model that hears a clip as it is, and disturbed in every way; the clip is decoded once."""

from __future__ import annotations

import os

import numpy as np

from genre_model.disturbing.disturbances import DISTURBANCES, RATE
from genre_model.predict import Predictor
from genre_model.signal.waveforms import ClipReader

_SEED = 20


class DisturbedListener:
    """Hears clips; one a thread.

    Parameters
    ----------
    predictor : Predictor
    """

    def __init__(self, predictor: Predictor) -> None:
        cutting = predictor.bundle.features.cutting
        self._predictor = predictor
        self._reader = ClipReader(
            RATE,
            clip_seconds=cutting.clip_seconds,
            longest_seconds=cutting.longest_clip_seconds,
        )

    def probabilities(self, path: str | os.PathLike[str], *, seed: int) -> dict[str, np.ndarray]:
        """Hear one clip: the part of a file that training takes, in every way.

        Parameters
        ----------
        path : str or os.PathLike
        seed : int
            Of the noise, as the track's number.

        Returns
        -------
        dict[str, np.ndarray [shape=(whole windows, genres)]]
            Name of a disturbance -> the windows' probabilities; without those that leave nothing
            to hear.

        Raises
        ------
        ClipDefect
            If the file cannot be decoded.
        """
        clip = self._reader.read(path).waveform.copy()
        found = {}
        for name, each in DISTURBANCES.items():
            file = each.make(clip, np.random.default_rng([_SEED, seed]))
            windows = self._predictor.extractor.windows(file).windows
            if windows is not None:
                found[name] = self._predictor.classifier.probabilities(windows)
        return found
