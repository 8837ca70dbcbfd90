"""The state of a training between two epochs as one file: a zip archive, nothing in it packed.

network.keras    with the optimiser's state
best.npz         weights of the best epoch so far, and the normalisation
history.json     one line an epoch
"""

import io
import json
import tempfile
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import keras
import numpy as np

from genre_model.errors import ModelError
from genre_model.learning.opening.keras_file import open_keras
from genre_model.networks.statistics import InputStatistics

NETWORK, BEST, HISTORY = "network.keras", "best.npz", "history.json"


@dataclass(frozen=True)
class Checkpoint:
    """All that the next epoch depends on.

    Parameters
    ----------
    network : keras.Model
        Compiled; its weights and optimiser are those after the last line of `history`.
    statistics : InputStatistics
        As they are in the network.
    best_weights : list of np.ndarray
        The network's weights after its best epoch.
    history : tuple of dict
        One line an epoch.
    """

    network: keras.Model
    statistics: InputStatistics
    best_weights: list[np.ndarray]
    history: tuple[dict[str, Any], ...]


class Checkpoints(Protocol):
    """Where the states of one training outlast a kill."""

    def load(self) -> Checkpoint | None:
        """Give the newest state, None if there is none."""

    def save(self, state: Checkpoint) -> None:
        """Keep a state, whole or not at all."""


def encode_checkpoint(state: Checkpoint, *, scratch: Path | None = None) -> bytes:
    """Write a state as one archive.

    Parameters
    ----------
    state : Checkpoint
        After at least one epoch.
    scratch : Path, optional
        Folder for the file that Keras writes; the machine's temporary one by default.

    Returns
    -------
    bytes
        Some four times the size of the network's weights.
    """
    best = io.BytesIO()
    np.savez(
        best,
        *state.best_weights,
        mean=state.statistics.mean,
        deviation=state.statistics.deviation,
    )
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        network = Path(folder) / NETWORK
        state.network.save(network)
        history = json.dumps(state.history).encode()
        return pack({NETWORK: network.read_bytes(), BEST: best.getvalue(), HISTORY: history})


def pack(files: Mapping[str, bytes]) -> bytes:
    """Pack the files of a state, by name, into an archive with a checksum of each."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as members:
        for name, content in files.items():
            members.writestr(name, content)
    return archive.getvalue()


def unpack(data: bytes) -> dict[str, bytes]:
    """Take apart what `pack` has packed.

    Raises
    ------
    ModelError
        If it was cut off, or a checksum does not hold.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as members:
            if any(each.compress_type != zipfile.ZIP_STORED for each in members.infolist()):
                raise ModelError("it has a part that is packed, which none is")
            return {name: members.read(name) for name in members.namelist()}
    # an archive whose headers are damaged may say that it is encrypted, or packed in any way
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError, OSError) as error:
        if isinstance(error, ModelError):
            raise
        raise ModelError(f"it is no whole archive ({_first_line(error)})") from error


def decode_checkpoint(data: bytes, *, scratch: Path | None = None) -> Checkpoint:
    """Read what `encode_checkpoint` wrote; nothing in it runs code.

    Parameters
    ----------
    data : bytes
    scratch : Path, optional
        Folder for the file that Keras reads; the machine's temporary one by default.

    Returns
    -------
    Checkpoint

    Raises
    ------
    ModelError
        If a part is missing, damaged, or of a version that this one cannot read.
    """
    parts = unpack(data)
    if missing := {NETWORK, BEST, HISTORY} - set(parts):
        raise ModelError(f"it has no {', '.join(sorted(missing))}")
    network = _network(parts[NETWORK], scratch)
    try:
        weights, statistics = _best(parts[BEST])
        history = tuple(json.loads(parts[HISTORY]))
    except (ValueError, KeyError, EOFError, RecursionError, MemoryError, OSError) as error:
        raise ModelError(f"a part of it does not open ({_first_line(error)})") from error
    return Checkpoint(network, statistics, weights, history)


def _best(data: bytes) -> tuple[list[np.ndarray], InputStatistics]:
    unpack(data)  # an .npz is such an archive too, and nothing in this one is packed
    with np.load(io.BytesIO(data)) as arrays:
        weights = [arrays[f"arr_{number}"] for number in range(len(arrays.files) - 2)]
        return weights, InputStatistics(arrays["mean"], arrays["deviation"])


def _network(data: bytes, scratch: Path | None) -> keras.Model:
    try:
        return open_keras(data, with_training=True, scratch=scratch)
    except ModelError as error:
        raise ModelError(f"its network {error}") from error


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0].rstrip(".")
