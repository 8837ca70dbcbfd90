"""A person's own table of predictions, which the next run takes up: one parquet file anywhere."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Self

from genre_model.hearing.prediction import Prediction
from genre_model.signal.status import Status
from storage.errors import Damaged, NotFound
from storage.places.location import Entry, Location

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, kw_only=True)
class SongLine:
    """One line; its fields are the table's columns.

    Attributes
    ----------
    path : str
        As it was given.
    size, etag
        Of what was heard; None where it was not there.
    model : str
        The id of who heard it.
    status, detail, genre, probability, sure, windows, seconds
        As `Prediction` has them.
    probabilities, passages : str
        JSON.
    """

    path: str
    size: int | None
    etag: str | None
    model: str
    status: str
    detail: str
    genre: str | None
    probability: float | None
    sure: bool | None
    probabilities: str
    windows: int
    seconds: float
    passages: str

    @classmethod
    def of(cls, found: Prediction, *, entry: Entry | None, model: str) -> Self:
        """Make the line of a prediction."""
        return cls(
            path=found.path,
            size=entry.size if entry else None,
            etag=entry.etag if entry else None,
            model=model,
            status=str(found.status),
            detail=found.detail,
            genre=found.genre,
            probability=found.probability,
            sure=found.sure,
            probabilities=json.dumps(found.probabilities),
            windows=found.windows,
            seconds=found.seconds,
            passages=json.dumps(found.passages),
        )

    def holds(self, entry: Entry | None) -> bool:
        """Whether it still says what is true of what lies there now."""
        is_same = entry is not None and (self.size, self.etag) == (entry.size, entry.etag)
        return is_same and self.status not in PASSING

    def prediction(self) -> Prediction:
        """Return what was predicted, without its timeline."""
        return Prediction(
            path=self.path,
            status=Status(self.status),
            detail=self.detail,
            genre=self.genre,
            probability=self.probability,
            sure=None if self.sure is None else bool(self.sure),
            probabilities=json.loads(self.probabilities),
            windows=int(self.windows),
            seconds=float(self.seconds),
            passages=json.loads(self.passages),
        )


PASSING = (Status.UNREADABLE, Status.TIMEOUT, Status.CRASHED)
"""What may have been the machine's fault, or a permission's, and no longer be so."""
COLUMNS = tuple(each.name for each in fields(SongLine))


@dataclass(frozen=True)
class SongTable:
    """Such a table; it is replaced whole.

    Parameters
    ----------
    location : Location
    model : str
        Whose predictions count.
    """

    location: Location
    model: str

    def lines(self) -> dict[str, SongLine]:
        """Return the lines of this model by their paths, none if there is no table yet.

        Raises
        ------
        Damaged
            If something else than such a table lies there.
        """
        from storage.tables import read_table

        try:
            frame = read_table(self.location)
        except NotFound:
            return {}
        if tuple(frame.columns) != COLUMNS:
            raise Damaged(
                f"{self.location.uri} is no table of `genre predict --parquet`; name another file."
            )
        plain = frame.astype(object).where(frame.notna(), None)
        lines = [SongLine(**line) for line in plain.to_dict(orient="records")]  # type: ignore[arg-type]
        return {line.path: line for line in lines if line.model == self.model}

    def write(self, lines: Mapping[str, SongLine]) -> None:
        """Write lines at once, in place of those that were there."""
        from storage.tables import write_table

        write_table(self.location, _frame(lines))


def _frame(lines: Mapping[str, SongLine]) -> pd.DataFrame:
    import pandas as pd

    frame = pd.DataFrame(map(vars, lines.values()), columns=list(COLUMNS))
    kinds = {"size": "Int64", "windows": "int64", "seconds": "float64", "probability": "float64"}
    return frame.astype({**kinds, "sure": "boolean"})
