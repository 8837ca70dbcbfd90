"""Opening a `.keras` file from anybody: first its parts, then its size, then Keras itself."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable
from math import prod
from pathlib import Path
from typing import Any

import keras

from genre_model.errors import ModelError
from genre_model.learning.opening.keras_archive import KerasParts, take_apart
from genre_model.learning.opening.keras_config import checked_config
from genre_model.learning.opening.keras_weights import check_weights
from genre_model.learning.opening.plain_json import Json
from genre_model.recipe import LONGEST_CROP

MOST_VALUES = 2**22
"""Of one layer's output for one window: four times those of the network `notebook`."""
MOST_TRAINED_VALUES = LONGEST_CROP * MOST_VALUES
"""The same of a network that is still trained, which may take crops of so many windows."""


def open_keras(
    data: bytes, *, with_training: bool = False, scratch: Path | None = None
) -> keras.Model:
    """Open a `.keras` file; nothing in it runs code, and nothing outside of it is read.

    What Keras opens is a copy of the parts that were checked, whatever becomes of the file
    meanwhile.

    Parameters
    ----------
    data : bytes
        The whole file.
    with_training : bool
        Whether to take optimiser and loss from it too; its windows may be longer then.
    scratch : Path, optional
        Folder for the copy; the common one for temporary files otherwise.

    Returns
    -------
    keras.Model

    Raises
    ------
    ModelError
        The text says what is wrong with the file, as the end of a sentence that begins with its
        name: `holds 'keras.layers.Lambda', which …`.
    """
    parts = take_apart(data)
    config = checked_config(parts.config, with_training=with_training)
    check_weights(parts.weights)
    most = MOST_TRAINED_VALUES if with_training else MOST_VALUES
    _check_size(config, stored=len(parts.weights), most=most)
    return _opened(parts, with_training=with_training, scratch=scratch)


def _check_size(config: Json, *, stored: int, most: int) -> None:
    """Refuse a network that takes more memory than its weights have bytes, before it takes any."""
    shapes, outputs = _in_own_thread(lambda: _outline({**config, "compile_config": None}))
    if (numbers := sum(map(prod, shapes))) > stored:
        raise ModelError(f"has layers of {numbers:,} numbers, of which it holds {stored:,} bytes")
    if (values := max(outputs, default=0)) > most:
        raise ModelError(
            f"has a layer that makes {values:,} numbers of one window, more than {most:,}"
        )


def _outline(config: Json) -> tuple[list[tuple[int, ...]], list[int]]:
    """Return the weights' shapes and each layer's output in numbers, without making any."""
    with keras.StatelessScope(initialize_variables=False):
        model = keras.saving.deserialize_keras_object(config, safe_mode=True)
        tensors = keras.tree.flatten([layer.output for layer in model.layers])
    outputs = [prod(side or 1 for side in tensor.shape) for tensor in tensors]
    return [tuple(each.shape) for each in model.weights], outputs


def _in_own_thread(outline: Callable[[], Any]) -> Any:
    """Call it in a thread, with which all goes that Keras remembers of variables without values."""
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(_tried(outline)))
    thread.start()
    thread.join()
    (result,) = results
    if isinstance(result, Exception):
        raise _refusal(result) from result
    return result


def _tried(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except Exception as error:  # noqa: BLE001 - raised again in the thread that asked
        return error


def _opened(parts: KerasParts, *, with_training: bool, scratch: Path | None) -> keras.Model:
    with tempfile.TemporaryDirectory(prefix="genre-network-", dir=scratch) as folder:
        path = Path(folder) / "network.keras"
        path.write_bytes(parts.packed())
        try:
            return keras.saving.load_model(path, compile=with_training, safe_mode=True)
        except Exception as error:  # Keras and TensorFlow raise all kinds of errors
            raise _refusal(error) from error


def _refusal(error: Exception) -> ModelError:
    reason = (str(error).strip() or type(error).__name__).partition("\n")[0].rstrip(".")[:300]
    return ModelError(f"does not open as a Keras model ({reason})")
