"""TensorBoard's event file of a training that goes on, where the model will lie."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from genre_model.learning.bundle import LOGS_FOLDER
from genre_model.learning.event_log import EVENT_FILE, write_event_log
from storage.places.location import Location

OnEpoch = Callable[[int, int, Sequence[Mapping[str, float]]], None]


def written_as_it_goes(place: Location, *, scratch: Path, then: OnEpoch | None) -> OnEpoch:
    """Return what writes the history so far after each epoch, in one write.

    Parameters
    ----------
    place : Location
        `models/<id>`, of a model that is not published yet; else `checkpoints/again` in it.
    scratch : Path
        Folder of this machine.
    then : callable, optional
        Is called afterwards, with the same.
    """

    def on_epoch(number: int, most: int, history: Sequence[Mapping[str, float]]) -> None:
        write_event_log(scratch / LOGS_FOLDER, pd.DataFrame(history))
        written = (scratch / LOGS_FOLDER / EVENT_FILE).read_bytes()
        (place / LOGS_FOLDER / EVENT_FILE).write_bytes(written)
        if then is not None:
            then(number, most, history)

    return on_epoch
