"""Parquet tables keep values and nulls; the newest row of a track counts."""

from __future__ import annotations

import io
from dataclasses import replace

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from storage.array.manifests import RowRecord, ShardManifest
from storage.array.tables import (
    PLAN_COLUMNS,
    QUARANTINE_COLUMNS,
    ROW_COLUMNS,
    current_rows,
    empty,
    is_stored,
    quarantine_of,
    read_known_table,
    read_known_table_or_empty,
    rows_of_manifests,
    stored,
)
from storage.errors import Damaged, NotFound
from storage.places.location import Location
from storage.tables import read_table, to_parquet, write_table


def record(row: int, track_id: int, *, windows: int = 10, size: int | None = 9) -> RowRecord:
    return RowRecord(
        row=row,
        track_id=track_id,
        path=f"{track_id}.mp3",
        size=size,
        etag=None if size is None else "5",
        sha256="" if size is None else "a" * 64,
        status="ok" if windows else "short",
        windows=windows,
        detail="" if windows else "too short",
    )


def rows(*records: RowRecord) -> pd.DataFrame:
    manifest = ShardManifest(
        shard=0, rows=records, size=77, sha256="b" * 64, decoder="libsndfile 1.2.2"
    )
    return rows_of_manifests([(manifest, "12")])


def test_rows_come_back(place: Location) -> None:
    frame = rows(record(0, 3), record(1, 4, windows=0, size=None), RowRecord.absent(2))
    write_table(place / "rows.parquet", stored(frame))
    back = read_known_table(place / "rows.parquet", ROW_COLUMNS)
    assert_frame_equal(back, frame)
    assert back.equals(frame)


def test_a_table_of_before_the_sound_was_kept_is_read_and_is_the_same(place: Location) -> None:
    frame = rows(record(0, 3), RowRecord.absent(1))
    before = frame.drop(columns=["sample_rate", "channels", "level_db", "file_s"])
    write_table(place / "rows.parquet", stored(before))
    back = read_known_table(place / "rows.parquet", ROW_COLUMNS)
    assert back[["level_db", "file_s"]].isna().all(axis=None)
    assert is_stored(place / "rows.parquet", frame)
    heard = rows(replace(record(0, 3), sample_rate=8_000, channels=1, level_db=-9.0))
    assert heard[["sample_rate", "channels", "level_db"]].to_numpy().tolist() == [[8_000, 1, -9]]


def test_missing_values_are_null_in_the_file() -> None:
    frame = stored(rows(record(0, 3), record(1, 4, windows=0, size=None)))
    plain = pd.read_parquet(io.BytesIO(to_parquet(frame)))
    assert plain["size"].isna().tolist() == [False, True]
    assert plain["etag"].isna().tolist() == [False, True]
    assert plain["sha256"].isna().tolist() == [False, True]
    assert plain["status"].tolist() == ["ok", "short"]
    assert plain["windows"].dtype == "int64"


def test_repeated_words_cost_nothing() -> None:
    few, many = (
        len(to_parquet(stored(rows(*(record(row, row) for row in range(count))))))
        for count in (1_000, 11_000)
    )
    assert (many - few) / 10_000 < 20  # bytes a row; the shard's sha256 alone has 64


def test_the_same_rows_give_the_same_bytes() -> None:
    frame = rows(record(0, 3), record(1, 4, windows=0))
    assert to_parquet(stored(frame)) == to_parquet(stored(frame.copy()))


def test_the_newest_row_of_a_track_counts() -> None:
    frame = rows(record(9, 1), record(0, 1, windows=0), record(2, 2, windows=0), record(5, 3))
    assert current_rows(frame)["row"].tolist() == [2, 5, 9]
    ledger = quarantine_of(rows(record(0, 1, windows=0), record(1, 2, windows=0), record(9, 1)))
    assert list(ledger.columns) == list(QUARANTINE_COLUMNS)
    assert ledger[["row", "track_id", "reason", "detail"]].to_numpy().tolist() == [
        [1, 2, "short", "too short"]
    ]
    assert ledger["decoder"].tolist() == ["libsndfile 1.2.2"]


def test_absent_rows_are_nobodys() -> None:
    frame = rows(RowRecord.absent(0), RowRecord.absent(1))
    assert current_rows(frame).empty
    assert quarantine_of(frame).empty


def test_no_rows(place: Location) -> None:
    assert rows_of_manifests([]).empty
    write_table(place / "empty.parquet", stored(empty(PLAN_COLUMNS)))
    assert read_known_table(place / "empty.parquet", PLAN_COLUMNS).empty
    assert read_known_table_or_empty(place / "none.parquet", PLAN_COLUMNS).empty


def test_no_table(place: Location) -> None:
    with pytest.raises(NotFound):
        read_table(place / "none.parquet")
    (place / "text.parquet").write_bytes(b"this is text")
    with pytest.raises(Damaged, match="not a readable parquet"):
        read_table(place / "text.parquet")
    write_table(place / "other.parquet", pd.DataFrame({"row": [1]}))
    with pytest.raises(Damaged, match="'track_id'"):
        read_known_table(place / "other.parquet", PLAN_COLUMNS)
