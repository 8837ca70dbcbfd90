"""Tables of predictions: what one model said about the audio files of one folder.

predictions/<model id>/<folder's name>-<8 hex of its address>.parquet
"""

from dataclasses import dataclass
from hashlib import sha256

import pandas as pd

from storage.errors import Damaged, NotFound
from storage.places.location import Location
from storage.tables import read_table, write_table

PREDICTION_COLUMNS = (
    "path",
    "size",
    "etag",
    "status",
    "detail",
    "genre",
    "probability",
    "probabilities",
    "windows",
)
"""One line a file, by its path below the folder; `probabilities` is JSON, genre -> share."""


@dataclass(frozen=True)
class PredictionTable:
    """The table of one model and one folder; it is replaced whole.

    Parameters
    ----------
    location : Location
    """

    location: Location

    def read(self, *, must_be_sealed: bool = False) -> pd.DataFrame:
        """Read the lines, none if there is no table yet.

        Parameters
        ----------
        must_be_sealed : bool
            Refuse a table without a seal, as an older version wrote it.

        Raises
        ------
        Damaged
            If it is no such table.
        """
        try:
            frame = read_table(self.location, must_be_sealed=must_be_sealed)
        except NotFound:
            return pd.DataFrame(columns=list(PREDICTION_COLUMNS))
        lacking = [column for column in PREDICTION_COLUMNS if column not in frame.columns]
        if lacking:
            raise Damaged(f"{self.location.uri} lacks the column {lacking[0]!r}.")
        return frame[list(PREDICTION_COLUMNS)]

    def write(self, frame: pd.DataFrame) -> None:
        """Write the lines at once, sorted by path, in place of those that were there."""
        write_table(self.location, frame[list(PREDICTION_COLUMNS)].sort_values("path"))


@dataclass(frozen=True)
class Predictions:
    """The tables of one store.

    Parameters
    ----------
    location : Location
    """

    location: Location

    def table(self, *, model: str, folder: Location) -> PredictionTable:
        """Place the table of a model's predictions for a folder."""
        name = f"{folder.name or 'root'}-{sha256(folder.uri.encode()).hexdigest()[:8]}.parquet"
        return PredictionTable(self.location / model / name)

    def claim_name(self, *, model: str, folder: Location) -> str:
        """Name what whoever writes that table claims."""
        return f"predictions/{model}/{self.table(model=model, folder=folder).location.name}"

    def tables(self) -> list[tuple[str, PredictionTable]]:
        """List the tables there are, each with its model's id; also where a folder lies instead."""
        found = [each.name for each in self.location.list(recursive=True)]
        for model in self.location.folders():
            found += [f"{model}/{name}" for name in (self.location / model).folders()]
        return [
            (name.partition("/")[0], PredictionTable(self.location / name))
            for name in sorted(found)
            if name.count("/") == 1 and name.endswith(".parquet")
        ]
