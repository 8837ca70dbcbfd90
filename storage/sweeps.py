"""Sweeps: one table each of the trainings among which one is chosen.

sweeps/<sweep id>/results.parquet
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from storage.errors import Damaged
from storage.places.location import Location
from storage.proof.documents import check_plain
from storage.tables import read_table, write_table

RESULTS_FILE = "results.parquet"
SWEEP_COLUMNS = (
    "model",
    "settings",
    "seed",
    "status",
    "validation_track_accuracy",
    "validation_window_accuracy",
    "detail",
)
"""One line a training, in the order of the sweep; `settings` is JSON, name -> value, `status` one
of `open`, `done`, `failed`, and accuracies are NaN where there is none."""


@dataclass(frozen=True)
class SweepTable:
    """The table of one sweep; it is replaced whole after each training.

    Parameters
    ----------
    location : Location
    """

    location: Location

    @property
    def sweep(self) -> str:
        """The sweep's id."""
        return self.location.uri.split("/")[-2]

    def read(self, *, must_be_sealed: bool = False) -> pd.DataFrame:
        """Read the lines.

        Parameters
        ----------
        must_be_sealed : bool
            Refuse a table without a seal.

        Raises
        ------
        NotFound
            If there is none.
        Damaged
            If it is no such table.
        """
        frame = read_table(self.location, must_be_sealed=must_be_sealed)
        lacking = [column for column in SWEEP_COLUMNS if column not in frame.columns]
        if lacking:
            raise Damaged(f"{self.location.uri} lacks the column {lacking[0]!r}.")
        return frame[list(SWEEP_COLUMNS)]

    def write(self, frame: pd.DataFrame) -> None:
        """Write the lines at once, in place of those that were there."""
        self.location.make_way()
        write_table(self.location, frame[list(SWEEP_COLUMNS)])


@dataclass(frozen=True)
class Sweeps:
    """The sweeps of one store.

    Parameters
    ----------
    location : Location
    """

    location: Location

    def table(self, sweep: str) -> SweepTable:
        """Place the table of a sweep.

        Raises
        ------
        Damaged
            If its id leads elsewhere.
        """
        check_plain(sweep, what="a sweep's id")
        return SweepTable(self.location / sweep / RESULTS_FILE)

    def claim_name(self, sweep: str) -> str:
        """Name what whoever runs the sweep claims."""
        return f"sweeps/{sweep}"

    def tables(self) -> Sequence[SweepTable]:
        """List the tables there are; also where a folder lies instead."""
        found = {each.name for each in self.location.list(recursive=True)}
        for sweep in self.location.folders():
            found |= {f"{sweep}/{name}" for name in (self.location / sweep).folders()}
        return [
            SweepTable(self.location / name)
            for name in sorted(found)
            if name.count("/") == 1 and name.endswith(f"/{RESULTS_FILE}")
        ]
