"""What lies in a features folder: its stored plans, which shards are done, what their rows are.

One listing of the manifests and one of the array's objects tell what is done. `rows.parquet`
holds what the manifests said when it was written, with the etag of each manifest's file; only
manifests with another etag are read. So a check that finds all done reads two tables' worth of
bytes, not a manifest a shard.
"""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from storage.array.layout import (
    ABSENT,
    NO_TRACK,
    ROWS_PER_SHARD,
    ArrayLayout,
    manifest_name,
    plan_name,
    plan_number,
    shard_of_manifest,
)
from storage.array.manifests import ShardManifest
from storage.array.plans import Known
from storage.array.shards import chunk_checksum, decode_row, row_spans, spans_of_lengths
from storage.array.tables import (
    PLAN_COLUMNS,
    ROW_COLUMNS,
    empty,
    read_known_table,
    read_known_table_or_empty,
    rows_of_manifests,
)
from storage.errors import Damaged, NotFound
from storage.places.location import Entry, Location
from storage.proof.documents import MOST_BYTES, read_bounded

_AT_ONCE = 16  # requests in flight; on a disk they cost nothing
_In = TypeVar("_In")
_Out = TypeVar("_Out")


@dataclass(frozen=True, kw_only=True)
class Inventory:
    """What was found.

    Attributes
    ----------
    plans : pd.DataFrame
        All lines of all stored plans: row, track_id, path, size, etag.
    next_plan : int
        The number of the next plan.
    records : pd.DataFrame
        Lines of `rows.parquet`'s columns for every row that has a record.
    done : frozenset[int]
        Shards that are done.
    savable : frozenset[int]
        Rows of shards that are not done, that can be carried over from what is there.
    stored : pd.DataFrame
        `rows.parquet` as it lies there (empty if there is none).
    manifests, objects : dict[int, Entry]
        The two listings, by shard.
    problems : dict[int, str]
        Shards whose manifest cannot be used, and why.
    """

    plans: pd.DataFrame
    next_plan: int
    records: pd.DataFrame
    done: frozenset[int]
    savable: frozenset[int]
    stored: pd.DataFrame
    manifests: dict[int, Entry]
    objects: dict[int, Entry]
    problems: dict[int, str]

    @property
    def known(self) -> Known:
        """The same for `storage.array.plans`."""
        return Known.gather(self.plans, self.records, done=self.done, savable=self.savable)

    @property
    def planned_shards(self) -> frozenset[int]:
        """Shards with a row that a plan gave away."""
        return frozenset((self.plans["row"] // ROWS_PER_SHARD).unique().tolist())

    @property
    def finished_rows(self) -> pd.DataFrame:
        """The records of shards that are done, by row."""
        return _of_shards(self.records, self.done).sort_values("row").reset_index(drop=True)


def take_inventory(
    features: Location, layout: ArrayLayout, *, trusts_table: bool = True
) -> Inventory:
    """Read and list what is there.

    Parameters
    ----------
    features : Location
    layout : ArrayLayout
    trusts_table : bool
        Take records from `rows.parquet` where a manifest has the etag it had then; otherwise
        every manifest is read.

    Raises
    ------
    Damaged
        If a stored plan cannot be read: without it nobody knows whose the rows are.
    """
    plans, next_plan = read_plans(features)
    stored = read_stored_rows(features)
    manifests = list_manifests(features)
    objects = list_objects(features, layout)
    trusted = stored if trusts_table else empty(ROW_COLUMNS)
    records, problems = _records(features, trusted, manifests)
    if not trusts_table:
        records = _with_refreshed_etags(records, stored)
    fitting, misfits = _fitting(plans, records, objects, frozenset(manifests) - frozenset(problems))
    old = _with_last_known(records, stored)
    broken = _of_shards(old, frozenset(_shards_of(plans)) - fitting)
    return Inventory(
        plans=plans,
        next_plan=next_plan,
        records=old,
        done=fitting,
        savable=_savable(features, broken, objects, layout),
        stored=stored,
        manifests=manifests,
        objects=objects,
        problems=problems | misfits,
    )


def take_records(features: Location) -> pd.DataFrame:
    """Give the last known records of all rows, whatever the plans say."""
    stored = read_stored_rows(features)
    records, _ = _records(features, stored, list_manifests(features))
    return _with_last_known(records, stored)


def read_plans(features: Location) -> tuple[pd.DataFrame, int]:
    """Read all stored plans as one frame, and the next plan's number."""
    numbers = [plan_number(entry.name) for entry in (features / "plans").list()]
    known = sorted(number for number in numbers if number is not None)
    frames = in_parallel(lambda number: _read_plan(features / plan_name(number)), known)
    filled = [frame for frame in frames if len(frame)]
    plans = pd.concat(filled, ignore_index=True) if filled else empty(PLAN_COLUMNS)
    return plans, (known[-1] + 1 if known else 0)


def _read_plan(place: Location) -> pd.DataFrame:
    try:
        return read_known_table(place, PLAN_COLUMNS)
    except Damaged as error:
        raise Damaged(f"{error} `genre features --verify` makes it anew.") from error


def read_stored_rows(features: Location) -> pd.DataFrame:
    """Read `rows.parquet`; an unreadable one is like none, since manifests hold the same."""
    try:
        return read_known_table_or_empty(features / "rows.parquet", ROW_COLUMNS)
    except Damaged:
        return empty(ROW_COLUMNS)


def list_manifests(features: Location) -> dict[int, Entry]:
    """List the manifests, by shard."""
    return _by_number((features / "manifests").list(), shard_of_manifest)


def list_objects(features: Location, layout: ArrayLayout) -> dict[int, Entry]:
    """List the shards' objects, by shard."""
    listed = (features / layout.chunks_folder).list(recursive=True)
    return _by_number(listed, layout.shard_of_object)


def read_manifest(features: Location, shard: int) -> ShardManifest:
    """Read one manifest.

    Raises
    ------
    Damaged
        If it is none, does not hold its seal, or is that of another shard.
    """
    data = read_bounded(features / manifest_name(shard), most=MOST_BYTES)
    manifest = ShardManifest.from_json(data)
    if manifest.shard != shard:
        raise Damaged(f"The manifest is that of shard {manifest.shard}.")
    return manifest


def known_records(features: Location, shard: int) -> pd.DataFrame:
    """Give the last good records of one shard: its manifest's, else those of `rows.parquet`."""
    try:
        return rows_of_manifests([(read_manifest(features, shard), "")])
    except (NotFound, Damaged):
        return _of_shards(read_stored_rows(features), frozenset([shard]))


def savable_rows(data: bytes, records: pd.DataFrame, row_shape: Sequence[int]) -> dict[int, Any]:
    """Read from a damaged shard what can be read: row -> its values, None for a refused track.

    Parameters
    ----------
    data : bytes
        The shard's object as it is now.
    records : pd.DataFrame
        The last good records of its rows.
    row_shape : Sequence[int]
    """
    places = (records["row"] % ROWS_PER_SHARD).tolist()
    by_index = row_spans(data)
    by_length = spans_of_lengths(dict(zip(places, records["stored"].tolist(), strict=True)))
    found: dict[int, Any] = {}
    for line in records[records["status"] != ABSENT].to_dict(orient="records"):
        row, place = int(line["row"]), int(line["row"]) % ROWS_PER_SHARD
        if not line["windows"]:
            found[row] = None
            continue
        # the index may be damaged, or the shard one that was written again without some rows
        for span in (by_index[place], by_length[place]):
            if chunk_checksum(data, span) == line["checksum"]:
                values = decode_row(data, span, row_shape)
                if values is not None:
                    found[row] = values
                    break
    return found


def in_parallel(work: Callable[[_In], _Out], items: Iterable[_In]) -> list[_Out]:
    """Call `work` on each item in threads, in order; for many small requests."""
    given = list(items)
    if len(given) < 2:
        return [work(item) for item in given]
    with ThreadPoolExecutor(min(_AT_ONCE, len(given))) as pool:
        return list(pool.map(work, given))


def _records(
    features: Location, stored: pd.DataFrame, manifests: dict[int, Entry]
) -> tuple[pd.DataFrame, dict[int, str]]:
    """Give the records behind every manifest, reading those `rows.parquet` does not cover."""
    etags = {shard: entry.etag for shard, entry in manifests.items()}
    listed = pd.Series([etags.get(shard, "") for shard in _shards_of_rows(stored).tolist()])
    is_covered = (listed.to_numpy() == stored["manifest_etag"].to_numpy()) & (listed != "")
    covered = stored[is_covered.to_numpy(bool)]
    uncovered = sorted(set(manifests) - set(_shards_of_rows(covered).tolist()))
    read = in_parallel(lambda shard: _try_manifest(features, shard), uncovered)
    pairs = list(zip(uncovered, read, strict=True))
    good = [(found, etags[shard]) for shard, found in pairs if isinstance(found, ShardManifest)]
    fresh = rows_of_manifests(good)
    parts = [part for part in (covered, fresh) if len(part)]
    records = pd.concat(parts, ignore_index=True) if parts else empty(ROW_COLUMNS)
    return records, {shard: found for shard, found in pairs if isinstance(found, str)}


def _try_manifest(features: Location, shard: int) -> ShardManifest | str:
    try:
        return read_manifest(features, shard)
    except (Damaged, NotFound) as error:
        return str(error)


def _fitting(
    plans: pd.DataFrame,
    records: pd.DataFrame,
    objects: dict[int, Entry],
    manifested: frozenset[int],
) -> tuple[frozenset[int], dict[int, str]]:
    """Find the planned shards whose records agree with the plan and with the listed size."""
    seen = records[["row", "track_id", "shard_size"]].rename(columns={"track_id": "recorded"})
    both = plans[["row", "track_id"]].merge(seen, on="row", how="left")
    both["shard"] = both["row"] // ROWS_PER_SHARD
    listed = both["shard"].map({shard: entry.size for shard, entry in objects.items()}).fillna(0)
    both["agrees"] = both["recorded"].isin([NO_TRACK]) | (both["recorded"] == both["track_id"])
    both["fits"] = both["shard_size"] == listed
    by_shard = both.groupby("shard")[["agrees", "fits"]].all()
    by_shard = by_shard[by_shard.index.isin(list(manifested))]
    fitting = by_shard[by_shard["agrees"] & by_shard["fits"]].index.tolist()
    misfits = {
        int(shard): "The manifest's rows are not those of the plan."
        for shard in by_shard[~by_shard["agrees"]].index
    }
    return frozenset(fitting), misfits


def _with_refreshed_etags(records: pd.DataFrame, stored: pd.DataFrame) -> pd.DataFrame:
    """Keep what only the table knows: later etags and paths of the same bytes."""
    later = stored[["row", "sha256", "etag", "path"]]
    both = records[["row", "sha256"]].merge(later, on=["row", "sha256"], how="left")
    is_same = (both["etag"].notna() & (both["sha256"] != "")).to_numpy(bool)
    return records.assign(
        etag=np.where(is_same, both["etag"], records["etag"]),
        path=np.where(is_same, both["path"], records["path"]),
    )


def _with_last_known(records: pd.DataFrame, stored: pd.DataFrame) -> pd.DataFrame:
    """Add the last known records of shards whose manifest is gone or cannot be used."""
    have = np.unique(_shards_of_rows(records))
    lost = stored[~np.isin(_shards_of_rows(stored), have)]
    parts = [part for part in (records, lost) if len(part)]
    return pd.concat(parts, ignore_index=True) if parts else records


def _savable(
    features: Location,
    broken: pd.DataFrame,
    objects: dict[int, Entry],
    layout: ArrayLayout,
) -> frozenset[int]:
    def of_shard(shard: int) -> list[int]:
        place = features / layout.shard_name(shard)
        is_readable = shard in objects and objects[shard].size <= layout.most_bytes
        data = place.read_bytes() if is_readable else b""
        return list(savable_rows(data, _of_shards(broken, frozenset([shard])), layout.row_shape))

    shards = np.unique(_shards_of_rows(broken)).tolist()
    return frozenset(row for rows in in_parallel(of_shard, shards) for row in rows)


def _by_number(
    entries: Iterable[Entry], number_of: Callable[[str], int | None]
) -> dict[int, Entry]:
    numbered = ((number_of(entry.name), entry) for entry in entries)
    return {number: entry for number, entry in numbered if number is not None}


def _shards_of_rows(rows: pd.DataFrame) -> Any:
    return rows["row"].to_numpy(np.int64) // ROWS_PER_SHARD


def _shards_of(plans: pd.DataFrame) -> set[int]:
    return set(np.unique(_shards_of_rows(plans)).tolist())


def _of_shards(rows: pd.DataFrame, shards: frozenset[int]) -> pd.DataFrame:
    return rows[np.isin(_shards_of_rows(rows), list(shards))]
