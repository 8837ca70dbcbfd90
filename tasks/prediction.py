"""Genres of audio files, by path or address."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from genre_model.data.audio_suffixes import AUDIO_SUFFIXES, is_tried
from genre_model.data.folder import Oddity
from genre_model.data.left_out import LeftOut
from genre_model.signal.formats import READ
from genre_model.signal.status import Status
from storage.errors import CredentialsRefused, NotFound, Refused, StorageError, UnknownFormat
from storage.places.address import parse_location
from storage.places.folder import Folder
from storage.places.listing import Listing
from storage.places.location import Entry, Location
from tasks.data_folder import oddity
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


def audio_files(folder: Location) -> tuple[dict[str, Entry], LeftOut]:
    """Find the audio files of a folder, deeper ones too, by their names relative to it.

    Returns
    -------
    tuple
        What is tried, and what else lies there.

    Raises
    ------
    NotFound
        If the folder has no audio file.
    """
    found = folder.walk()
    audio = {each.name: each for each in found.files if is_tried(each.name)}
    others = [each.name for each in found.files if each.name not in audio]
    left_out = LeftOut.of(others, map(oddity, found.passed_by))
    if not audio:
        kinds = " ".join(sorted(AUDIO_SUFFIXES))
        there = "".join(f"; {sentence}" for sentence in left_out.sentences)
        raise NotFound(f"There is no audio file in {folder.uri} (looked for {kinds}{there}).")
    return audio, left_out


def named_files(given: Sequence[str]) -> tuple[list[str], LeftOut]:
    """Put the audio files of each folder that was given in its place, deeper ones too.

    Parameters
    ----------
    given : sequence of str
        Paths and addresses of files and folders; what cannot be looked into stays as it is.

    Returns
    -------
    tuple
        The files, each named as it was given or by the folder's name as it was given; and what
        else lies in the folders.
    """
    files: list[str] = []
    others: list[str] = []
    oddities: list[Oddity] = []
    for name in given:
        found = _listing(name)
        prefix = name if name.endswith("/") else f"{name}/"
        below = [f"{prefix}{each.name}" for each in found.files]
        tried = list(filter(is_tried, below))
        files += tried or [name]
        others += [path for path in below if not is_tried(path)]
        oddities += [oddity(each, prefix=prefix) for each in found.passed_by]
    return files, LeftOut.of(others, oddities)


def _listing(name: str) -> Listing:
    """List what lies below a name; nothing where it means a file, or nothing."""
    if "://" not in name:
        if name and Path(name).is_dir():
            return Folder(Path(name).absolute()).walk()
    else:
        with contextlib.suppress(StorageError):  # said when it is read
            place = parse_location(name)
            if not place.exists():
                return place.walk()
    return Listing(files=(), passed_by=())


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
    from genre_model.predict import Prediction

    if "://" not in file:
        if not file or not Path(file).is_dir():
            with native_words(file):
                return predictor.predict(file)
        return Prediction(file, Status.MISSING, f"there is no audio file in it; {READ}")
    try:
        return replace(predict_at(predictor, parse_location(file)), path=file)
    except (Refused, UnknownFormat) as error:
        return Prediction(file, Status.UNREADABLE, str(error))
