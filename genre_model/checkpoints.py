"""The state of a training between two epochs, on disk.

checkpoints/epoch-0007/
    network.keras    with the optimiser's state
    best.npz         weights of the best epoch so far, and the normalisation
    history.json     one line an epoch
"""

import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from genre_model.normalisation import BandStatistics

_WRITING = ".writing-"


@dataclass(frozen=True)
class Checkpoint:
    """All that the next epoch depends on.

    Parameters
    ----------
    network : keras.Model
        Compiled; its weights and optimiser are those after the last line of `history`.
    statistics : BandStatistics
        As they are in the network.
    best_weights : list of np.ndarray
        The network's weights after its best epoch.
    history : tuple of dict
        One line an epoch.
    """

    network: keras.Model
    statistics: BandStatistics
    best_weights: list[np.ndarray]
    history: tuple[dict[str, Any], ...]


def save_checkpoint(folder: Path, state: Checkpoint) -> None:
    """Keep a state; it appears at once and whole, then the epochs before it go.

    Parameters
    ----------
    folder : Path
        Made if it is not there.
    state : Checkpoint
        After at least one epoch.
    """
    folder.mkdir(parents=True, exist_ok=True)
    name = f"epoch-{len(state.history):04d}"
    with tempfile.TemporaryDirectory(prefix=_WRITING, dir=folder) as temporary:
        part = Path(temporary) / name
        part.mkdir()
        state.network.save(part / "network.keras")
        np.savez(
            part / "best.npz",
            *state.best_weights,
            mean=state.statistics.mean,
            deviation=state.statistics.deviation,
        )
        (part / "history.json").write_text(json.dumps(state.history), encoding="utf-8")
        shutil.rmtree(folder / name, ignore_errors=True)
        part.replace(folder / name)
    for old in _epochs(folder)[:-1]:
        shutil.rmtree(old)


def load_checkpoint(folder: Path) -> Checkpoint | None:
    """Load the newest state, and sweep away what a killed writer left.

    Parameters
    ----------
    folder : Path
        As `save_checkpoint` fills it; it may be missing or empty.

    Returns
    -------
    Checkpoint | None
        None if there is no state.
    """
    for left in folder.glob(f"{_WRITING}*"):
        shutil.rmtree(left)
    epochs = _epochs(folder)
    if not epochs:
        return None
    newest = epochs[-1]
    with np.load(newest / "best.npz") as arrays:
        weights = [arrays[f"arr_{number}"] for number in range(len(arrays.files) - 2)]
        statistics = BandStatistics(arrays["mean"], arrays["deviation"])
    return Checkpoint(
        network=keras.saving.load_model(newest / "network.keras", safe_mode=True),
        statistics=statistics,
        best_weights=weights,
        history=tuple(json.loads((newest / "history.json").read_text(encoding="utf-8"))),
    )


def _epochs(folder: Path) -> list[Path]:
    return sorted(folder.glob("epoch-*"))
