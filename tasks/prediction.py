"""Genres of audio files with a model of the store."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genre_model.signal.audio import Status
from storage.errors import NotFound, Refused, UnknownFormat
from storage.models import MODEL_FILE, ModelStore
from storage.places.location import Location
from tasks.native_stderr import captured_native_stderr

if TYPE_CHECKING:
    from genre_model.predict import Prediction, Predictor


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
    with captured_native_stderr():
        from genre_model.predict import load_model

        return name, load_model(folder)


def fetch_model(uri: str, storage_options: Mapping[str, Any] | None = None) -> Path:
    """Copy a model of a bucket to this machine, unless it is there.

    Parameters
    ----------
    uri : str
        Of a store, of which the champion is taken, or of a model in one, or of its model.keras.
    storage_options : Mapping, optional

    Raises
    ------
    NotFound
        If there is no such model, or no champion.
    """
    text = uri.rstrip("/").removesuffix(f"/{MODEL_FILE}")
    before, separator, name = text.rpartition("/models/")
    is_model = separator and "/" not in name
    store = Location.parse(before if is_model else text, storage_options)
    return ModelStore(store).fetch(name if is_model else _champion(store))


def _champion(store: Location) -> str:
    name = ModelStore(store).champion()
    if name is None:
        raise NotFound(
            f"{store.uri} has no champion yet; run `genre run` or `genre evaluate` first"
        )
    return name


def _find(store: Location, model: str | None) -> tuple[str, Path]:
    """Find the model's folder before TensorFlow is imported, so that a wrong name costs nothing."""
    if model is not None and Path(model).exists():
        return model, Path(model)
    name = model or _champion(store)
    return name, ModelStore(store).fetch(name)


def predict_files(
    predictor: Predictor,
    files: Sequence[str],
    *,
    file_done: Callable[[int], None] = lambda _done: None,
) -> list[dict[str, Any]]:
    """Predict each file, by path or `s3://` address; a bad one is a line with its status.

    Returns
    -------
    list of dict
        The lines of `genre predict`'s `predictions`, in the order of `files`.
    """
    predictions = []
    for done, file in enumerate(files, start=1):
        predictions.append(_predict(predictor, file).to_dict())
        file_done(done)
    return predictions


def _predict(predictor: Predictor, file: str) -> Prediction:
    if "://" not in file:
        return predictor.predict(file)
    from genre_model.predict import Prediction

    try:
        source = Location.parse(file)
        with tempfile.NamedTemporaryFile(suffix=Path(source.name).suffix) as copy:
            source.download(Path(copy.name))
            return replace(predictor.predict(copy.name), path=file)
    except NotFound:
        return Prediction(file, Status.MISSING, f"{file} is not there")
    except (Refused, UnknownFormat) as error:
        return Prediction(file, Status.UNREADABLE, str(error))
