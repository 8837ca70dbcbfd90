"""Parquet tables at a location, whole and at once."""

import io

import pandas as pd

from storage.errors import Damaged
from storage.places.location import Location


def write_table(location: Location, frame: pd.DataFrame) -> None:
    """Write a table at once, in place of the one that was there."""
    location.write_bytes(to_parquet(frame))


def read_table(location: Location) -> pd.DataFrame:
    """Read a table as it was written.

    Raises
    ------
    NotFound
        If there is none.
    Damaged
        If it is not parquet.
    """
    return from_parquet(location.read_bytes(), name=location.uri)


def to_parquet(frame: pd.DataFrame) -> bytes:
    """Encode a frame, without its index."""
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False, compression="zstd")
    return buffer.getvalue()


def from_parquet(data: bytes, *, name: str) -> pd.DataFrame:
    """Decode a frame in this thread; `name` is for the error."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        # pandas.read_parquet starts threads of pyarrow's that live on; a short command once ended
        # while they did, in "terminate called without an active exception" and SIGABRT.
        with pq.ParquetFile(io.BytesIO(data), pre_buffer=False) as file:
            frame: pd.DataFrame = file.read(use_threads=False).to_pandas(use_threads=False)
            return frame
    except (pa.ArrowException, OSError, ValueError) as error:
        raise Damaged(f"{name} is not a readable parquet table ({error}).") from error
