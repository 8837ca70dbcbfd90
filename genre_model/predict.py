"""Genres of any audio file, over its whole length, with a trained model."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np

from genre_model.errors import ModelError
from genre_model.frontends.frontend import Extractor
from genre_model.hearing.overview import OverviewMaker
from genre_model.hearing.passages import passages
from genre_model.hearing.prediction import Moment, Passage, Prediction
from genre_model.judging.judgement import Judgement
from genre_model.learning.bundle import Bundle, load_bundle
from genre_model.portable.classifier import Classifier
from genre_model.signal.segments import Heard
from genre_model.signal.status import ClipDefect, Status

__all__ = ["Moment", "Passage", "Prediction", "Predictor", "load_model"]


@dataclass(frozen=True)
class Predictor:
    """A model that is ready to predict.

    Parameters
    ----------
    bundle : Bundle
        What its folder says.
    classifier : Classifier
        Its network.
    extractor : Extractor
        Of its features.
    """

    bundle: Bundle
    classifier: Classifier
    extractor: Extractor

    @classmethod
    def build(cls, bundle: Bundle) -> Self:
        """Open the parts of a bundle."""
        return cls(bundle, bundle.classifier(), bundle.extractor())

    @property
    def licences(self) -> list[dict[str, str]]:
        """Return whose nets it is made of: `name`, `licence`, `source` …; none for most."""
        return self.bundle.licences

    @property
    def genres(self) -> tuple[str, ...]:
        """Return the genres that the model tells apart."""
        return self.bundle.genres

    def predict(self, path: str | os.PathLike[str], *, overview: bool = False) -> Prediction:
        """Predict one file, whatever its length.

        Its windows follow each other from the first sample to the last; the features of a 30-s
        clip are the same as in training. Memory grows with the file by its timeline alone.

        Parameters
        ----------
        path : str or os.PathLike
            An audio file of any format that libsndfile reads.
        overview : bool
            Whether to make the file's mel picture, too.

        Returns
        -------
        Prediction
            Never an error for bad audio: `status` says what is wrong with it.

        Examples
        --------
        >>> load_model("my-model").predict("song.mp3").genre  # doctest: +SKIP
        'Folk'
        """
        name = os.fspath(path)
        maker = OverviewMaker(self.extractor.spec.mel, self.extractor.bank) if overview else None
        heard = Heard(listener=maker.take if maker else None)
        try:
            starts, probabilities = self._windows(path, heard)
        except ClipDefect as defect:
            return Prediction(name, defect.status, defect.detail)
        defect_of_level = heard.level.defect
        if defect_of_level is not None and not defect_of_level[0].kept:
            return Prediction(name, *defect_of_level, seconds=heard.seconds)
        found = self._prediction(name, starts, probabilities, heard)
        return replace(found, overview=maker.overview()) if maker else found

    def _windows(
        self, path: str | os.PathLike[str], heard: Heard
    ) -> tuple[list[float], np.ndarray]:
        """Return the windows' starts [s] and their probabilities."""
        starts: list[float] = []
        parts: list[np.ndarray] = []
        for start, windows in self.extractor.long_windows(path, heard):
            step = self.bundle.features.window_seconds
            starts += [start + number * step for number in range(len(windows))]
            parts.append(self.classifier.probabilities(windows))
        return starts, np.concatenate(parts)

    def _prediction(
        self, name: str, starts: list[float], windows: np.ndarray, heard: Heard
    ) -> Prediction:
        spec = self.bundle.features
        length = spec.window_length_seconds
        judgement = Judgement.from_params(self.bundle.params)
        named = self._named(judgement.of_track(windows))
        genre, probability = next(iter(named.items()))
        few = f"{len(starts)} whole windows" if len(starts) < spec.windows else ""
        detail = "; ".join(filter(None, (few, heard.unread)))
        threshold = judgement.threshold
        return Prediction(
            path=name,
            status=Status.PARTIAL if detail else Status.OK,
            detail=detail,
            genre=genre,
            probability=probability,
            sure=None if threshold is None else probability >= threshold,
            probabilities=named,
            windows=len(starts),
            seconds=heard.seconds,
            passages=passages(starts, windows, self.genres, length=length),
            timeline=[
                self._moment(start, start + length, window)
                for start, window in zip(starts, windows, strict=True)
            ],
        )

    def _moment(self, start: float, end: float, window: np.ndarray) -> Moment:
        named = self._named(window)
        genre, probability = next(iter(named.items()))
        return {
            "start": start,
            "end": end,
            "genre": genre,
            "probability": probability,
            "probabilities": named,
        }

    def _named(self, probabilities: np.ndarray) -> dict[str, float]:
        """Return genre -> probability, most probable first."""
        order = np.argsort(-probabilities, kind="stable")
        return {self.genres[label]: float(probabilities[label]) for label in order}


def load_model(path: str | os.PathLike[str]) -> Predictor:
    """Open a model for prediction; imports neither TensorFlow nor librosa.

    Parameters
    ----------
    path : str or os.PathLike
        A model's folder, or the network's file in it. `tasks.models.open_model` takes stores and
        `s3://` addresses too.

    Returns
    -------
    Predictor

    Raises
    ------
    ModelError
        If there is no model, or it does not open.
    """
    given = Path(path)
    if not given.exists():
        raise ModelError(f"there is no {given}; give a model's folder")
    return Predictor.build(load_bundle(given.parent if given.is_file() else given))
