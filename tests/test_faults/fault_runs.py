"""The runs that make a small real store, and mend it: in this process, or by the command."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from limits import TRY_S

from storage.proof.problems import Problem
from storage.store import Store
from tasks.status import StoreStatus, describe_store

PRESET, NETWORK, EPOCHS = "notebook", "notebook", 2
REFUSED = 0.5
"""Five of the tracks are to be refused, and they are few."""

Answer = TypeVar("Answer")


@dataclass(frozen=True, kw_only=True)
class Runs:
    """Two runs of everything on one store that grew, a folder predicted, and a sweep.

    Attributes
    ----------
    first, grown : Path
        Data folders.
    predicted : Path
        A folder of audio files.
    scheduler : str
        Of the Dask cluster to join.
    """

    first: Path
    grown: Path
    predicted: Path
    scheduler: str

    def full(self, store: Path, data: Path, *, verify: bool = True) -> None:
        """Run everything on one data folder, in this process."""
        from flows.full_run import full_run

        full_run(
            data=str(data),
            store=str(store),
            preset=PRESET,
            network=NETWORK,
            epochs=EPOCHS,
            scheduler=self.scheduler,
            verify=verify,
            max_quarantined=REFUSED,
        )

    def predict(self, store: Path) -> None:
        """Predict the folder, in this process."""
        from flows.predict_tracks import predict_tracks

        predict_tracks(folder=str(self.predicted), store=str(store))

    def sweep(self, store: Path) -> None:
        """Sweep the one seed of the grown data's model, in this process: it is there already."""
        from flows.engine.starting_points import catalogue_to_train_on
        from flows.sweep import sweep

        opened = Store.open(store)
        catalogue = catalogue_to_train_on(opened, catalogue=None, data=str(self.grown))
        given = {"preset": PRESET, "network": NETWORK, "epochs": EPOCHS}
        sweep(store=str(store), catalogue=catalogue, **given)

    def make(self, store: Path) -> None:
        """Make the store, in this process."""
        for data in (self.first, self.grown):
            self.full(store, data, verify=False)
        self.predict(store)
        self.sweep(store)

    def mend(self, store: Path) -> None:
        """Run again, with verification, what a damaged thing was made by."""
        self.full(store, self.grown)
        if problems_of(store):
            self.full(store, self.first)
        # also where nothing is amiss: nobody knows of a table that is gone
        self.predict(store)
        self.sweep(store)

    def command(self, store: Path, data: Path) -> list[object]:
        """Give the arguments of `genre` that run everything, with verification."""
        of_training = ("--network", NETWORK, "--epochs", EPOCHS)
        return ["run", *self.given(store, data), *of_training, "--verify"]

    def given(self, store: Path, data: Path) -> list[object]:
        """Give the arguments that all runs of the features have in common."""
        return [
            *("--data", data, "--store", store, "--preset", PRESET),
            *("--scheduler", self.scheduler, "--max-quarantined", REFUSED),
        ]


def problems_of(store: Path) -> list[Problem]:
    """List what is not as it was written."""
    return [problem for _, problem in look(store, verify=True).problems or ()]


def look(store: Path, *, verify: bool = False) -> StoreStatus:
    """Do what `genre status` does, unless that hangs."""
    return answered(lambda: describe_store(Store.look(store), verify=verify))


def answered(call: Callable[[], Answer]) -> Answer:
    """Call it, and give what it gives or raise what it raises.

    Raises
    ------
    TimeoutError
        If it hangs: it is then left in its thread.
    """
    came: queue.SimpleQueue[tuple[Answer | None, BaseException | None]] = queue.SimpleQueue()

    def run() -> None:
        try:
            came.put((call(), None))
        except BaseException as error:  # noqa: BLE001 - raised again by who waits
            came.put((None, error))

    threading.Thread(target=run, daemon=True).start()
    try:
        found, error = came.get(timeout=TRY_S)
    except queue.Empty:
        raise TimeoutError(f"no answer within {TRY_S:g} s") from None
    if error is not None:
        raise error
    return found  # type: ignore[return-value]
