"""Genres of any audio file, over its whole length, with a trained model."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Self, TypedDict

import numpy as np

from genre_model.errors import ModelError
from genre_model.frontends.frontend import Extractor
from genre_model.judging.judgement import Judgement
from genre_model.learning.bundle import Bundle, load_bundle
from genre_model.portable.classifier import Classifier
from genre_model.signal.segments import Heard
from genre_model.signal.status import ClipDefect, Status


class Moment(TypedDict):
    """One window of a track: `start` and `end` in seconds, its most probable `genre` and all."""

    start: float
    end: float
    genre: str
    probability: float
    probabilities: dict[str, float]


@dataclass(frozen=True)
class Prediction:
    """What a model says about one file.

    Parameters
    ----------
    path : str
        The file.
    status : Status
        `ok`, `partial` (fewer windows than a training clip has, or not all of the file could be
        read), or why there is no genre.
    detail : str
        One sentence for people; empty for `ok`.
    genre : str | None
        Of the highest probability by the model's rule, which is the mean over all windows unless
        its params.json says otherwise; None if the file gave no window.
    probability : float | None [0 to 1]
        That one.
    probabilities : dict[str, float]
        Every genre's, most probable first; empty if there is no genre.
    windows : int
        How many windows the file gave.
    seconds : float [s]
        How much of the file was heard.
    timeline : list of Moment
        One entry a window, in the order of time.
    """

    path: str
    status: Status
    detail: str = ""
    genre: str | None = None
    probability: float | None = None
    probabilities: dict[str, float] = field(default_factory=dict)
    windows: int = 0
    seconds: float = 0.0
    timeline: list[Moment] = field(default_factory=list)

    def to_dict(self) -> dict[str, object]:
        """Return everything as plain values, ready for JSON."""
        return {**asdict(self), "status": str(self.status)}


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
        return list(self.bundle.params.get("licences", ()))

    @property
    def genres(self) -> tuple[str, ...]:
        """Return the genres that the model tells apart."""
        return self.bundle.genres

    def predict(self, path: str | os.PathLike[str]) -> Prediction:
        """Predict one file, whatever its length.

        Its windows follow each other from the first sample to the last; the features of a 30-s
        clip are the same as in training.

        Parameters
        ----------
        path : str or os.PathLike
            An audio file of any format that libsndfile reads.

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
        try:
            heard = Heard()
            starts, probabilities = self._windows(path, heard)
        except ClipDefect as defect:
            return Prediction(name, defect.status, defect.detail)
        defect_of_level = heard.level.defect
        if defect_of_level is not None and not defect_of_level[0].kept:
            return Prediction(name, *defect_of_level, seconds=heard.seconds)
        return self._prediction(name, starts, probabilities, heard)

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
        mean = self._named(Judgement.from_params(self.bundle.params).of_track(windows))
        genre, probability = next(iter(mean.items()))
        few = f"{len(starts)} whole windows" if len(starts) < spec.windows else ""
        detail = "; ".join(filter(None, (few, heard.unread)))
        return Prediction(
            path=name,
            status=Status.PARTIAL if detail else Status.OK,
            detail=detail,
            genre=genre,
            probability=probability,
            probabilities=mean,
            windows=len(starts),
            seconds=heard.seconds,
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
