"""Write a model's folder; `bundle` says what is in it, and reads it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genre_model.errors import ModelError
from genre_model.frontends import Frontend
from genre_model.learning.bundle import (
    FILTERS_FILE,
    HISTORY_FILE,
    LOGS_FOLDER,
    ONNX_FILE,
    check_fit,
)
from genre_model.learning.opening.params import FORMAT, PARAMS_FILE

if TYPE_CHECKING:
    import keras
    import pandas as pd

LIBRARIES = ("keras", "tensorflow", "numpy")
"""Whose versions are told, beside that of the backend that trained; TensorFlow's since it writes
the ONNX file, whatever trains."""
OWN = frozenset(
    (
        "format",
        "file",
        "files",
        "network",
        "genres",
        "features",
        "parameters",
        "backend",
        "versions",
    )
)
"""What params.json tells of every model."""


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
    licence_texts: Mapping[str, str] = {},
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
    licence_texts : Mapping[str, str]
        Name of a file -> the whole text of the licence of one of them.

    Raises
    ------
    ModelError
        If model, genres and features do not fit together, a detail has a name that is taken, or
        the network as an ONNX file gives other numbers.
    """
    from genre_model.learning.devices import backend
    from genre_model.learning.event_log import write_event_log
    from genre_model.learning.portable_network import portable_network
    from genre_model.signal.filters import MelBank

    folder = path.parent
    if taken := sorted(OWN & set(details)):
        raise ModelError(f"params.json has {', '.join(taken)} of its own; rename these details")
    takes, gives = model.input_shape[1:], model.output_shape[-1]
    check_fit(takes, gives, genres=genres, features=features, where=folder)
    files = {
        ONNX_FILE: portable_network(model),
        FILTERS_FILE: MelBank.build(features.mel).to_bytes(),
        **dict(zip(features.files, weights, strict=True)),
        **{name: text.encode() for name, text in licence_texts.items()},
    }
    folder.mkdir(parents=True, exist_ok=True)
    # Keras judges a file by its ending, so the temporary name keeps it.
    part = folder / f".part-{path.name}"
    model.save(part)
    params = {
        "format": FORMAT,
        "file": path.name,
        "files": {
            path.name: _sha256(part.read_bytes()),
            **{name: _sha256(data) for name, data in files.items()},
        },
        "network": network,
        "genres": list(genres),
        "features": features.to_dict(),
        "parameters": model.count_params(),
        "backend": backend(),
        "versions": {name: version(name) for name in (*LIBRARIES, backend())},
    }
    text = json.dumps({**params, **details}, indent=1, ensure_ascii=False, allow_nan=False)
    _write(folder / PARAMS_FILE, f"{text}\n".encode())
    _write(folder / HISTORY_FILE, history.to_csv(index=False).encode())
    write_event_log(folder / LOGS_FOLDER, history)
    for name, content in files.items():
        _write(folder / name, content)
    part.replace(path)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _write(path: Path, content: bytes) -> None:
    part = path.with_name(f".part-{path.name}")
    part.write_bytes(content)
    part.replace(path)
