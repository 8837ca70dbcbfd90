"""Genres of audio files with a model of the store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storage.errors import NotFound
from storage.locations import Location
from storage.models import ModelStore
from tasks.native_messages import held_back

if TYPE_CHECKING:
    from genre_model.predict import Predictor


def open_predictor(store: Location, model: str | None = None) -> tuple[str, Predictor]:
    """Open the champion, or another model.

    Parameters
    ----------
    store : Location
    model : str, optional
        An id in the store, or a local folder with a model.keras.

    Returns
    -------
    tuple[str, Predictor]
        The model's name and the model.

    Raises
    ------
    NotFound
        If there is no such model, or no champion yet.
    ModelError
        If the model does not open.
    """
    name, folder = _find(store, model)
    with held_back():
        from genre_model.predict import load_model

        return name, load_model(folder)


def _find(store: Location, model: str | None) -> tuple[str, Path]:
    """Find the model's folder before TensorFlow is imported, so that a wrong name costs nothing."""
    if model is not None and Path(model).exists():
        return model, Path(model)
    models = ModelStore(store)
    name = model or models.champion()
    if name is None:
        raise NotFound(
            f"{store.uri} has no champion yet; run `genre run` or `genre evaluate` first"
        )
    return name, models.fetch(name)


def predict_files(
    predictor: Predictor,
    files: Sequence[str],
    *,
    file_done: Callable[[int], None] = lambda _done: None,
) -> list[dict[str, Any]]:
    """Predict each file; a bad one is a line with its status.

    Returns
    -------
    list of dict
        The lines of `genre predict`'s `predictions`, in the order of `files`.
    """
    predictions = []
    for done, file in enumerate(files, start=1):
        predictions.append(predictor.predict(file).to_dict())
        file_done(done)
    return predictions
