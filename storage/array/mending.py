"""Make again what can be made of what else an array holds: its descriptions and its plans.

Shards are written again by a run (`FeatureArray.begin_repair`), tables by `finalise`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from storage.array.description import DESCRIPTION, as_stored, check_version, group_bytes
from storage.array.feature_array import FeatureArray
from storage.array.layout import ROWS_PER_SHARD, Attributes, plan_name
from storage.array.proven_tables import StoredPlan, lost_rows, stored_plans
from storage.array.shards import array_document
from storage.array.tables import PLAN_COLUMNS, stored
from storage.array.verification import shards_to_repair, verify
from storage.proof.problems import Problem
from storage.tables import write_table


def mend(features: FeatureArray, attributes: Attributes) -> list[Problem]:
    """Make descriptions and plans again, and mark damaged shards to be written again.

    Only for who holds the claim on the array. An array that is not there yet has no problem.

    Parameters
    ----------
    features : FeatureArray
        As it is to be: its description may be damaged or gone.
    attributes : Mapping
        What its numbers mean, as given to `FeatureArray.create`.

    Returns
    -------
    list[Problem]
        What was found.

    Raises
    ------
    UnknownFormat
        If another version wrote the array.
    """
    plans = (features.location / "plans").list()
    if not plans and not (features.location / "manifests").list():
        return []
    check_version(features.location)
    before = verify(features)
    if not before:
        return []
    _make_way(features, before)
    plans_now = _mend_plans(features)
    _mend_descriptions(features, attributes, plans_now)
    after = verify(features)
    _make_way(features, after)
    features.begin_repair(shards_to_repair(after))
    return list(dict.fromkeys([*before, *after]))


def _make_way(features: FeatureArray, problems: Iterable[Problem]) -> None:
    """Move away folders that lie where files must be."""
    root = f"{features.location.uri}/"
    for problem in problems:
        if problem.path.startswith(root):
            (features.location / problem.path.removeprefix(root)).make_way()


def _mend_plans(features: FeatureArray) -> Mapping[int, StoredPlan]:
    """Write the plans again that are not as they were written, from the records of their rows.

    Rows of which nothing was written are given up: whose they were is not known any more, and
    their tracks get new ones.
    """
    plans = stored_plans(features)
    lost = lost_rows(features, plans)
    for number, plan in plans.items():
        if not plan.fault:
            continue
        lines = plan.lines
        if lines is None:
            first, last = _range(plans, number)
            lines = lost[lost["row"].between(first, last - 1)][list(PLAN_COLUMNS)]
            lines = lines.reset_index(drop=True)
        write_table(features.location / plan_name(number), stored(lines))
        plans[number] = StoredPlan(lines)
    return plans


def _range(plans: Mapping[int, StoredPlan], number: int) -> tuple[int, int]:
    """Give the rows between the plans around one: those that it can have given away."""
    before = [_last_row(plans[each]) for each in range(number)]
    behind = [
        int(plan.lines["row"].min())
        for each, plan in plans.items()
        if each > number and plan.lines is not None and len(plan.lines)
    ]
    first = (max(before, default=-1) // ROWS_PER_SHARD + 1) * ROWS_PER_SHARD
    return first, min(behind, default=2**62)


def _last_row(plan: StoredPlan) -> int:
    return -1 if plan.lines is None else max(plan.lines["row"].tolist(), default=-1)


def _mend_descriptions(
    features: FeatureArray, attributes: Attributes, plans: Mapping[int, StoredPlan]
) -> None:
    rows = max(_last_row(plan) for plan in plans.values()) + 1
    array = array_document(-(-rows // ROWS_PER_SHARD) * ROWS_PER_SHARD, features.layout)
    wanted = as_stored(features.data_set, features.layout, attributes)
    group = group_bytes(features.location, wanted, array)
    documents = {features.layout.array + "/" + DESCRIPTION: array, DESCRIPTION: group}
    for name, content in documents.items():
        (features.location / name).write_bytes(content)
