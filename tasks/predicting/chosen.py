"""The model that hears songs: which it is, what it says of itself, and the child that runs it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from genre_model.exported.card import CARD_FILE
from genre_model.learning.bundle import Bundle, load_bundle
from genre_model.learning.opening.whole_file import read_whole
from storage.models import Json
from storage.store import Store
from tasks.models import model_folder, model_id_of
from tasks.worker.predicting import PredictingChild

MOST_CARD_BYTES = 2**20


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What a model is worth on the tracks of its test split.

    Attributes
    ----------
    tracks : int
    track_accuracy : float [0 to 1]
    track_accuracy_interval : tuple[float, float] [0 to 1]
        Of 95 %.
    """

    tracks: int
    track_accuracy: float
    track_accuracy_interval: tuple[float, float]

    @classmethod
    def of(cls, metrics: Json) -> Self | None:
        """Take it from the metrics of an evaluation; None if they do not tell."""
        try:
            low, high = map(float, metrics["track_accuracy_interval"])
            accuracy, tracks = float(metrics["track_accuracy"]), int(metrics["tracks"])
        except (KeyError, TypeError, ValueError):
            return None
        return cls(tracks=tracks, track_accuracy=accuracy, track_accuracy_interval=(low, high))

    def to_dict(self) -> dict[str, object]:
        """Return plain values, ready for JSON."""
        return {**vars(self), "track_accuracy_interval": list(self.track_accuracy_interval)}


@dataclass(frozen=True, kw_only=True)
class ChosenModel:
    """A model that was chosen; nothing heavy is imported or started for it yet.

    Attributes
    ----------
    name : str
        Its id in a store, or its folder as it was given.
    folder : Path
    bundle : Bundle
        What the folder says.
    """

    name: str
    folder: Path
    bundle: Bundle

    @classmethod
    def of(cls, store: Store | str, model: str | None = None) -> Self:
        """Choose the champion of a store, or another model.

        Parameters
        ----------
        store : Store or str
            An address is opened only where it is needed.
        model : str, optional
            An id in the store, or a local folder with a model.

        Raises
        ------
        NotFound
            If there is no such model, or no champion yet.
        ModelError
            If it does not say what it is.
        """
        name, folder = model_folder(store, model)
        return cls(name=name, folder=folder, bundle=load_bundle(folder))

    @property
    def id(self) -> str:
        """Return its id, wherever it lies."""
        return model_id_of(self.name)

    def judged(self, store: str) -> Judged | None:
        """Return what it is worth on test tracks; None if it lies in no store, or was not judged.

        Raises
        ------
        Damaged
            If the evaluation that is there is not as it was written.
        """
        if Path(self.name).exists():
            return None
        metrics = Store.open(store).models.metrics(self.name)
        return None if metrics is None else Judged.of(metrics)

    def card(self, store: str) -> str:
        """Return its card: of its evaluation on the test split, else of when it was trained.

        It is empty if there is none, as of models of before.

        Raises
        ------
        ModelError
            If what lies there cannot be read.
        """
        if self.judged(store) is not None:
            told = Store.open(store).models.evaluation_text(self.name, CARD_FILE)
            if told is not None:
                return told
        try:
            data = read_whole(self.folder / CARD_FILE, most=MOST_CARD_BYTES)
        except FileNotFoundError:
            return ""
        return data.decode(errors="replace")

    def child(self, *, time_limit_s: float | None = None) -> PredictingChild:
        """Return the child process that hears files with it, which the first file starts."""
        return PredictingChild(self.folder, time_limit_s=time_limit_s)
