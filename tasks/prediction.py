"""Genres of audio files, by path or address."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from genre_model.signal.audio import Status
from storage.errors import NotFound, Refused, UnknownFormat
from storage.places.address import parse_location

if TYPE_CHECKING:
    from genre_model.predict import Prediction, Predictor


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
        source = parse_location(file)
        with source.local_copy() as copy:
            return replace(predictor.predict(copy), path=file)
    except NotFound:
        return Prediction(file, Status.MISSING, f"{file} is not there")
    except (Refused, UnknownFormat) as error:
        return Prediction(file, Status.UNREADABLE, str(error))
