"""The tables of an array: plans, rows and the quarantine ledger.

In memory a missing size is -1 and a missing text is "", so that columns compare as plain arrays;
in the files both are null.
"""

import functools
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from storage.array.layout import NO_TRACK
from storage.array.manifests import SOUND_FIELDS, ShardManifest
from storage.errors import Damaged, NotFound
from storage.places.location import Location
from storage.tables import read_table

NO_SIZE = -1
PLAN_COLUMNS = ("row", "track_id", "path", "size", "etag")
ROW_COLUMNS = (
    "row",
    "track_id",
    "sha256",
    "size",
    "etag",
    "status",
    "windows",
    "detail",
    "path",
    "duration_s",
    "stored",
    "checksum",
    "decoder",
    "shard_size",
    "shard_sha256",
    "manifest_etag",
    *SOUND_FIELDS,
)
QUARANTINE_COLUMNS = (
    "row",
    "track_id",
    "reason",
    "detail",
    "size",
    "sha256",
    "decoder",
    "path",
)
_INTEGERS = ("row", "track_id", "size", "windows", "stored", "shard_size")
_NUMBERS = ("duration_s", *SOUND_FIELDS)
_REPEATED = ("status", "detail", "decoder", "shard_sha256", "manifest_etag")
_UNKNOWN = ("path", "size", "etag", "sha256", "checksum")


def empty(columns: Sequence[str]) -> pd.DataFrame:
    """Make a frame without lines."""
    return _empty(tuple(columns)).copy()


@functools.cache
def _empty(columns: tuple[str, ...]) -> pd.DataFrame:
    return normalised(pd.DataFrame({column: [] for column in columns}))


def normalised(frame: pd.DataFrame) -> pd.DataFrame:
    """Give the columns of plans and rows their types in memory."""
    columns: dict[str, object] = {}
    for column in frame.columns:
        values = frame[column]
        if column in _INTEGERS:
            columns[column] = values.fillna(NO_SIZE).to_numpy(np.int64)
        elif column in _NUMBERS:
            columns[column] = values.to_numpy(np.float64)
        else:
            columns[column] = values.astype(object).where(values.notna(), "").to_numpy(object)
    return pd.DataFrame(columns)


def stored(frame: pd.DataFrame) -> pd.DataFrame:
    """Give the columns of plans and rows their types on disk: nulls, and words by number."""
    columns: dict[str, object] = {}
    for column in frame.columns:
        values = frame[column]
        if column in _REPEATED:
            columns[column] = values.astype("category")
        elif column in _UNKNOWN:
            missing = (values == (NO_SIZE if column == "size" else "")).to_numpy(bool)
            typed = values.astype("Int64") if column == "size" else values.astype(str)
            columns[column] = typed.mask(missing)
        else:
            columns[column] = values
    return pd.DataFrame(columns)


def read_known_table(
    location: Location, columns: Sequence[str], *, must_be_sealed: bool = False
) -> pd.DataFrame:
    """Read a plan or the rows, in their types in memory.

    What a table of before it was kept lacks of `SOUND_FIELDS` is NaN.

    Raises
    ------
    Unsealed
        If it must have a seal, and has none.
    Damaged
        If it is no such table.
    """
    frame = read_table(location, must_be_sealed=must_be_sealed)
    unknown = [each for each in SOUND_FIELDS if each in columns and each not in frame.columns]
    frame = frame.assign(**dict.fromkeys(unknown, np.nan))
    lacking = [column for column in columns if column not in frame.columns]
    if lacking:
        raise Damaged(f"{location.uri} lacks the column {lacking[0]!r}.")
    try:
        return normalised(frame[list(columns)])
    except (ValueError, TypeError, OverflowError) as error:
        raise Damaged(f"{location.uri} has values of other types ({error}).") from error


def read_known_table_or_empty(location: Location, columns: Sequence[str]) -> pd.DataFrame:
    """Read it, or an empty one where there is none."""
    try:
        return read_known_table(location, columns)
    except NotFound:
        return empty(columns)


def is_stored(location: Location, frame: pd.DataFrame) -> bool:
    """Whether exactly these lines lie there, sealed."""
    try:
        found = read_known_table(location, list(frame.columns), must_be_sealed=True)
    except (NotFound, Damaged):
        return False
    return bool(found.equals(frame))


def rows_of_manifests(manifests: Iterable[tuple[ShardManifest, str]]) -> pd.DataFrame:
    """Gather manifests, each with the etag of its file, into lines of `rows.parquet`."""
    lines = [
        {column: getattr(record, column, None) for column in ROW_COLUMNS}
        | {
            "decoder": manifest.decoder,
            "shard_size": manifest.size,
            "shard_sha256": manifest.sha256,
            "manifest_etag": etag,
        }
        for manifest, etag in manifests
        for record in manifest.rows
    ]
    if not lines:
        return empty(ROW_COLUMNS)
    return normalised(pd.DataFrame(lines, columns=list(ROW_COLUMNS)))


def current_rows(rows: pd.DataFrame) -> pd.DataFrame:
    """Keep the newest row of every track, sorted by row; absent rows have no track."""
    with_track = rows[rows["track_id"] != NO_TRACK].sort_values("row", kind="stable")
    return with_track.drop_duplicates("track_id", keep="last").reset_index(drop=True)


def quarantine_of(rows: pd.DataFrame) -> pd.DataFrame:
    """List the tracks whose newest row was refused (it has no windows)."""
    now = current_rows(rows)
    refused = now[now["windows"] == 0].rename(columns={"status": "reason"})
    return refused[list(QUARANTINE_COLUMNS)].reset_index(drop=True)
