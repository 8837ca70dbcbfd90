"""Parquet tables at a location: whole and at once, each with its seal in its footer."""

import io
from typing import Any

import pandas as pd

from storage.errors import Damaged
from storage.places.location import Location
from storage.proof.documents import read_bounded
from storage.proof.seals import BLANK, TABLE_KEY, Unsealed, check_table, seal_table

MOST_BYTES = 2**30
MOST_UNPACKED = 8 * 2**30
MOST_LINES = 10**8
"""More than any table of a store has: FMA's 106,574 tracks take some 20 MB."""

_NO_TABLE = (
    OSError,
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    OverflowError,
    RecursionError,
)
"""What reading a table raises, besides Arrow's own, where its descriptions are not true."""


def write_table(location: Location, frame: pd.DataFrame) -> None:
    """Write a table at once, in place of the one that was there."""
    location.write_bytes(to_parquet(frame, of=_name(location)))


def create_table(location: Location, frame: pd.DataFrame) -> None:
    """Write a table at once where nothing is.

    Raises
    ------
    AlreadyThere
        If something is.
    """
    location.create(to_parquet(frame, of=_name(location)))


def read_table(location: Location, *, must_be_sealed: bool = False) -> pd.DataFrame:
    """Read a table as it was written.

    Parameters
    ----------
    location : Location
    must_be_sealed : bool
        Refuse one without a seal, as an older version wrote it.

    Raises
    ------
    NotFound
        If there is none.
    Unsealed
        If it must have a seal, and has none.
    Damaged
        If it is not parquet, or not as it was written.
    """
    data = read_bounded(location, most=MOST_BYTES)
    try:
        check_table(data, of=_name(location), where=location.uri)
    except Unsealed:
        if must_be_sealed:
            raise
    return from_parquet(data, name=location.uri)


def _name(location: Location) -> str:
    """Give the last two parts of the address: they stay where a store is moved as a whole."""
    return "/".join(location.uri.split("/")[-2:])


def to_parquet(frame: pd.DataFrame, *, of: str = "") -> bytes:
    """Encode a frame, without its index, the same bytes every time.

    Parameters
    ----------
    frame : pd.DataFrame
        Its `attrs` are kept.
    of : str
        Name of the table, which its seal holds too.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_pandas(frame, preserve_index=False, nthreads=1)
    table = table.replace_schema_metadata({**(table.schema.metadata or {}), TABLE_KEY: BLANK})
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    return seal_table(buffer.getvalue(), of=of)


def from_parquet(data: bytes, *, name: str) -> pd.DataFrame:
    """Decode a frame in this thread; `name` is for the error.

    Raises
    ------
    Damaged
        If it is not parquet, or larger than a table can be.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        # pandas.read_parquet starts threads of pyarrow's that live on; a short command once ended
        # while they did, in "terminate called without an active exception" and SIGABRT.
        with pq.ParquetFile(io.BytesIO(data), pre_buffer=False) as file:
            _check_size(file.metadata, name)
            frame: pd.DataFrame = file.read(use_threads=False).to_pandas(use_threads=False)
            return frame
    except Damaged:
        raise
    except (pa.ArrowException, *_NO_TABLE) as error:
        reason = " ".join(str(error).split())
        raise Damaged(f"{name} is not a readable parquet table ({reason}).") from error


def _check_size(metadata: Any, name: str) -> None:
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    unpacked = sum(group.total_byte_size for group in groups)
    if metadata.num_rows > MOST_LINES or unpacked > MOST_UNPACKED:
        raise Damaged(
            f"{name} says that it has {metadata.num_rows} lines of {unpacked} bytes, more than a "
            "table of a store can have."
        )
