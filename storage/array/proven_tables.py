"""Whether the tables of an array are as they were written: plans, rows, quarantine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from storage.array.feature_array import FeatureArray
from storage.array.inventory import Inventory, in_parallel, take_records
from storage.array.layout import NO_TRACK, ROWS_PER_SHARD, plan_name, plan_number
from storage.array.tables import (
    PLAN_COLUMNS,
    QUARANTINE_COLUMNS,
    ROW_COLUMNS,
    quarantine_of,
    read_known_table,
)
from storage.errors import Damaged, NotFound
from storage.places.location import Location
from storage.proof.problems import Problem
from storage.proof.seals import Unsealed

_GONE = "It is gone, though one behind it is there."
_LOST = "It is gone: rows were written that no plan gave to a track."


@dataclass(frozen=True)
class StoredPlan:
    """One plan as it lies there.

    Attributes
    ----------
    lines : pd.DataFrame or None
        None if it is gone or cannot be read.
    fault : str
        What is wrong with it; empty if it is as it was written.
    """

    lines: pd.DataFrame | None = None
    fault: str = ""


def plan_problems(features: FeatureArray, plans: Mapping[int, StoredPlan]) -> list[Problem]:
    """Name the plans that are not as they were written, and those that are gone."""
    return [
        Problem(
            what="plan missing" if plan.fault in (_GONE, _LOST) else "plan damaged",
            detail=plan.fault,
            path=(features.location / plan_name(number)).uri,
        )
        for number, plan in plans.items()
        if plan.fault
    ]


def stored_plans(features: FeatureArray) -> dict[int, StoredPlan]:
    """Read every plan, by number, with those that are known to be gone.

    That the last one is gone shows in rows that were written and that no plan gave away.
    """
    names = [entry.name for entry in (features.location / "plans").list()]
    numbers = sorted(number for name in names if (number := plan_number(name)) is not None)
    read = in_parallel(lambda number: _plan(features.location / plan_name(number)), numbers)
    found = dict(zip(numbers, read, strict=True))
    all_numbers = range(max(numbers, default=-1) + 1)
    plans = {number: found.get(number, StoredPlan(fault=_GONE)) for number in all_numbers}
    if all(plan.lines is not None for plan in plans.values()) and len(lost_rows(features, plans)):
        plans[len(plans)] = StoredPlan(fault=_LOST)
    return plans


def lost_rows(features: FeatureArray, plans: Mapping[int, StoredPlan]) -> pd.DataFrame:
    """Give the records of written rows that no readable plan gave to a track, by row."""
    planned = [plan.lines["row"].to_numpy() for plan in plans.values() if plan.lines is not None]
    records = take_records(features.location)
    shards = np.unique(np.concatenate([np.empty(0, np.int64), *planned]) // ROWS_PER_SHARD)
    is_lost = ~np.isin(records["row"].to_numpy() // ROWS_PER_SHARD, shards)
    of_tracks = (records["track_id"] != NO_TRACK).to_numpy(bool)
    return records[is_lost & of_tracks].sort_values("row").reset_index(drop=True)


def _plan(place: Location) -> StoredPlan:
    try:
        return StoredPlan(read_known_table(place, PLAN_COLUMNS, must_be_sealed=True))
    except Unsealed as error:
        return replace(_unsealed_plan(place), fault=str(error))
    except (Damaged, NotFound) as error:
        return StoredPlan(fault=str(error))


def _unsealed_plan(place: Location) -> StoredPlan:
    try:
        return StoredPlan(read_known_table(place, PLAN_COLUMNS))
    except (Damaged, NotFound):
        return StoredPlan()


def table_problems(features: FeatureArray, found: Inventory) -> list[Problem]:
    """Name the two tables if they are gone though all is done, or not as they were written."""
    rows, quarantine = features.rows_file, features.quarantine_file
    is_done = bool(found.planned_shards) and found.planned_shards <= found.done
    has_either = rows.exists() or quarantine.exists()
    problems: list[Problem] = []
    table = None
    for place, what, columns in (
        (rows, "rows table", ROW_COLUMNS),
        (quarantine, "quarantine table", QUARANTINE_COLUMNS),
    ):
        detail, lines = _table_fault(place, columns)
        if lines is None and not detail and (is_done or has_either):
            detail = "It is gone."
        if what == "rows table":
            table = lines
        elif lines is not None and table is not None and not _same(lines, quarantine_of(table)):
            detail = "It does not list the refused rows of rows.parquet."
        if detail:
            problems.append(Problem(what=what, detail=detail, path=place.uri))  # type: ignore[arg-type]
    return problems


def _table_fault(place: Location, columns: Sequence[str]) -> tuple[str, pd.DataFrame | None]:
    """Say what is wrong with a table, and give its lines; neither where there is none."""
    try:
        lines = read_known_table(place, columns, must_be_sealed=True)
    except NotFound:
        return "", None
    except Damaged as error:
        return str(error), None
    has_twice = "row" in columns and len(np.unique(lines["row"].to_numpy())) != len(lines)
    return ("A row is in it twice." if has_twice else ""), lines


def _same(one: pd.DataFrame, other: pd.DataFrame) -> bool:
    """Whether two tables hold the same values; an empty column has no type of its own."""
    if list(one.columns) != list(other.columns) or len(one) != len(other):
        return False
    left, right = one.astype(object), other.astype(object)
    same = (left == right) | (left.isna() & right.isna())
    return bool(same.to_numpy().all())
