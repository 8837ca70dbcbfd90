"""Genres of audio files, by path or address."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from genre_model.signal.status import Status
from storage.errors import CredentialsRefused, NotFound, Refused, UnknownFormat
from storage.places.address import parse_location
from storage.places.location import Location
from tasks.native_stderr import native_words

if TYPE_CHECKING:
    from genre_model.predict import Prediction, Predictor


def predict_files(
    predictor: Predictor,
    files: Sequence[str],
    *,
    file_done: Callable[[int], None] = lambda _done: None,
) -> list[Prediction]:
    """Predict each file, by path or `s3://` address; a bad one is a line with its status.

    Returns
    -------
    list of Prediction
        In the order of `files`.
    """
    predictions = []
    for done, file in enumerate(files, start=1):
        predictions.append(_predict(predictor, file))
        file_done(done)
    return predictions


def predict_at(predictor: Predictor, source: Location) -> Prediction:
    """Predict the file or object at a location; one that cannot be had gets a status.

    Raises
    ------
    CredentialsRefused
        If nothing of the bucket may be read: that says nothing of this object.
    """
    from genre_model.predict import Prediction

    try:
        with source.local_copy() as copy, native_words(source.uri):
            return replace(predictor.predict(copy), path=source.uri)
    except NotFound:
        return Prediction(source.uri, Status.MISSING, f"{source.uri} is not there")
    except CredentialsRefused:
        raise
    except Refused as error:
        return Prediction(source.uri, Status.UNREADABLE, str(error))


def _predict(predictor: Predictor, file: str) -> Prediction:
    if "://" not in file:
        with native_words(file):
            return predictor.predict(file)
    from genre_model.predict import Prediction

    try:
        return replace(predict_at(predictor, parse_location(file)), path=file)
    except (Refused, UnknownFormat) as error:
        return Prediction(file, Status.UNREADABLE, str(error))
