"""A model's folder: the network, all that predicting with it takes to know, and its history.

<network>.keras   opens with Keras alone, in safe mode; written last
params.json       the network's file, genres, features, specs, where it comes from
history.csv       one line an epoch
logs/             the same for TensorBoard
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genre_model.errors import InvalidSpec, ModelError
from genre_model.frontends import Frontend, frontend_from_dict
from genre_model.learning.opening.params import FORMAT, PARAMS_FILE, read_params
from genre_model.learning.opening.plain_json import Json
from genre_model.learning.opening.whole_file import read_whole

if TYPE_CHECKING:
    import keras
    import pandas as pd

HISTORY_FILE = "history.csv"
LOGS_FOLDER = "logs"
MOST_WEIGHTS = 2**31 - 1
LIBRARIES = ("keras", "tensorflow", "numpy")


@dataclass(frozen=True)
class Bundle:
    """A model that is ready to predict.

    Parameters
    ----------
    model : keras.Model
        Raw windows [batch, *features.row_shape[1:]] to logits [batch, genres].
    genres : tuple[str, ...]
        In the order of the logits.
    features : Frontend
        How its features are made.
    params : Json
        The content of params.json.
    weights : tuple[bytes, ...]
        Of the frontend's files, which lie in the folder too; none for most.
    """

    model: keras.Model
    genres: tuple[str, ...]
    features: Frontend
    params: Json
    weights: tuple[bytes, ...] = ()


def model_id(network: str, made_of: Mapping[str, Any]) -> str:
    """Name a model after all that makes it.

    Parameters
    ----------
    network : str
        First part of the name.
    made_of : Mapping
        Plain values: rows' sha256, labels, splits, specs, seed, version of the code.

    Returns
    -------
    str
        `<network>-<8 hex digits>`; equal mappings give equal names, in whatever order.

    Examples
    --------
    >>> model_id("default", {"a": 1, "b": [2]}) == model_id("default", {"b": [2], "a": 1})
    True
    """
    text = json.dumps(made_of, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return f"{network}-{hashlib.sha256(f'{network} {text}'.encode()).hexdigest()[:8]}"


def save_bundle(
    path: Path,
    *,
    model: keras.Model,
    history: pd.DataFrame,
    genres: tuple[str, ...],
    features: Frontend,
    network: str,
    details: Mapping[str, Any],
    weights: Sequence[bytes] = (),
) -> None:
    """Write a model's folder, each file at once and whole, the network last.

    Parameters
    ----------
    path : Path
        The network's file, which ends in .keras; the others go beside it, in a folder that is made
        if it is not there.
    model : keras.Model
        Raw features to logits.
    history : pd.DataFrame
        One line an epoch.
    genres : tuple[str, ...]
        In the order of the logits.
    features : Frontend
        How the features were made that it was trained on.
    network : str
        Name of the network.
    details : Mapping
        What else params.json tells, as plain values: id, specs, seed, rows' sha256 …
    weights : Sequence[bytes]
        Of the files that the features' extractor must be given.

    Raises
    ------
    ModelError
        If model, genres and features do not fit together, or a detail has a name that is taken.
    """
    from genre_model.learning.event_log import write_event_log

    folder = path.parent
    params = {
        "format": FORMAT,
        "file": path.name,
        "network": network,
        "genres": list(genres),
        "features": features.to_dict(),
        "parameters": model.count_params(),
        "versions": {name: version(name) for name in LIBRARIES},
    }
    if taken := sorted(set(params) & set(details)):
        raise ModelError(f"params.json has {', '.join(taken)} of its own; rename these details")
    _check_fit(model, genres, features, where=folder)
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps({**params, **details}, indent=1, ensure_ascii=False, allow_nan=False)
    _write(folder / PARAMS_FILE, text + "\n")
    _write(folder / HISTORY_FILE, history.to_csv(index=False))
    write_event_log(folder / LOGS_FOLDER, history)
    for name, content in zip(features.files, weights, strict=True):
        (folder / name).write_bytes(content)
    # Keras judges a file by its ending, so the temporary name keeps it.
    part = folder / f".part-{path.name}"
    model.save(part)
    part.replace(path)


def load_bundle(folder: Path) -> Bundle:
    """Open a model's folder, whoever made it; nothing in it runs code or leads out of it.

    Parameters
    ----------
    folder : Path
        As `save_bundle` wrote it.

    Returns
    -------
    Bundle

    Raises
    ------
    ModelError
        If a file is missing, not what it should be, or the files do not fit together.
    """
    params = read_params(folder)
    try:
        file, genres = params["file"], tuple(params["genres"])
        features = frontend_from_dict(params["features"])
    except (KeyError, InvalidSpec) as error:
        raise ModelError(
            f"{folder / PARAMS_FILE} does not say what the network takes and gives ({error}); "
            "train the model again"
        ) from error
    model = _load_network(folder / file)
    _check_fit(model, genres, features, where=folder)
    return Bundle(model, genres, features, params, _read_weights(folder, features))


def _read_weights(folder: Path, features: Frontend) -> tuple[bytes, ...]:
    """Read the files that the features' extractor must be given, which checks their sha256."""
    try:
        return tuple(read_whole(folder / name, most=MOST_WEIGHTS) for name in features.files)
    except FileNotFoundError as error:
        raise ModelError(
            f"{folder} lacks {Path(error.filename).name}, the backbone that its features are made "
            "with; copy the whole folder, or train the model again"
        ) from error


def _load_network(path: Path) -> keras.Model:
    from genre_model.learning.opening.keras_archive import MOST_BYTES
    from genre_model.learning.opening.keras_file import open_keras

    try:
        data = read_whole(path, most=MOST_BYTES)
    except FileNotFoundError as error:
        raise ModelError(f"{path.parent} has no {path.name}; train the model again") from error
    try:
        return open_keras(data)
    except ModelError as error:
        raise ModelError(f"{path} {error}; train the model again") from error


def _check_fit(
    model: keras.Model, genres: tuple[str, ...], features: Frontend, *, where: Path
) -> None:
    takes, gives = model.input_shape[1:], model.output_shape[-1]
    if takes != features.row_shape[1:]:
        raise ModelError(
            f"the model of {where} takes windows of {takes}, but its features are "
            f"{features.row_shape[1:]} ({', '.join(features.dimensions[1:])}); train it again"
        )
    if gives != len(genres):
        raise ModelError(
            f"the model of {where} tells {gives} genres apart, but {len(genres)} are named; "
            "train it again"
        )


def _write(path: Path, text: str) -> None:
    part = path.with_name(f".part-{path.name}")
    part.write_text(text, encoding="utf-8")
    part.replace(path)
