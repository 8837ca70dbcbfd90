"""What the files of a data folder say of themselves, kept so that it is read once.

tags/<folder's name>-<8 hex of its address>.parquet

A cache: what of it is lost or damaged is read again from the files.
"""

from dataclasses import dataclass
from hashlib import sha256

import pandas as pd

from storage.errors import Damaged, NotFound
from storage.places.location import Location
from storage.tables import read_table, write_table

KEYS = ("path", "size", "etag")
"""A line counts as long as the file has this size and etag (see `Entry`)."""


@dataclass(frozen=True)
class TagTable:
    """The tags of one folder; it is replaced whole.

    Parameters
    ----------
    location : Location
    """

    location: Location

    def read(self) -> pd.DataFrame:
        """Read the lines; none where there is no whole table."""
        try:
            frame = read_table(self.location, must_be_sealed=True)
        except (NotFound, Damaged):
            return pd.DataFrame(columns=list(KEYS))
        return frame if set(KEYS) <= set(frame.columns) else pd.DataFrame(columns=list(KEYS))

    def check(self) -> None:
        """Refuse one that is not as it was written.

        Raises
        ------
        Damaged
        """
        read_table(self.location, must_be_sealed=True)

    def write(self, frame: pd.DataFrame) -> None:
        """Write the lines at once, in place of those that were there."""
        write_table(self.location, frame)


@dataclass(frozen=True)
class Tags:
    """The tables of one store.

    Parameters
    ----------
    location : Location
    """

    location: Location

    def table(self, folder: Location) -> TagTable:
        """Place the table of a data folder."""
        name = f"{folder.name or 'root'}-{sha256(folder.uri.encode()).hexdigest()[:8]}.parquet"
        return TagTable(self.location / name)

    def tables(self) -> list[TagTable]:
        """List the tables that there are."""
        return [TagTable(self.location / each.name) for each in self.location.list()]
