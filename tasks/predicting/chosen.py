"""The model that hears songs: which it is, what it says of itself, and the child that runs it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from genre_model.learning.bundle import Bundle, load_bundle
from storage.store import Store
from tasks.models import model_folder, model_id_of
from tasks.worker.predicting import PredictingChild


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

    def child(self, *, time_limit_s: float | None = None) -> PredictingChild:
        """Return the child process that hears files with it, which the first file starts."""
        return PredictingChild(self.folder, time_limit_s=time_limit_s)
