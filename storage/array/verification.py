"""Find what is not as it was written, and say which shards to write again."""

from collections.abc import Container, Iterable
from hashlib import sha256
from typing import Literal

from storage.array.description import DESCRIPTION, array_fault, group_fault
from storage.array.feature_array import FeatureArray
from storage.array.inventory import Inventory, in_parallel, read_manifest
from storage.array.layout import ROWS_PER_SHARD, manifest_name
from storage.array.proven_tables import plan_problems, stored_plans, table_problems
from storage.array.tables import rows_of_manifests
from storage.errors import Damaged, NotFound
from storage.proof.documents import read_bounded
from storage.proof.problems import Kind, Problem

Level = Literal["sizes", "bytes"]
_REPAIRED_BY_WRITING: frozenset[Kind] = frozenset(
    ["shard missing", "shard size", "shard bytes", "manifest missing", "manifest damaged"]
)
_COMPARED = ("row", "track_id", "sha256", "status", "windows", "detail", "checksum", "shard_sha256")


def verify(
    features: FeatureArray, *, level: Level = "bytes", shards: Container[int] | None = None
) -> list[Problem]:
    """Compare what lies in a features folder with its plans and manifests.

    Parameters
    ----------
    features : FeatureArray
    level : "sizes" | "bytes"
        Compare sizes by a listing, or also read every shard and compare its sha256.
    shards : container of int, optional
        Read these only; tables, plans and listings are compared in any case.

    Returns
    -------
    list[Problem]
        By shard; empty if all is well. Shards that were planned and not begun are no problem.
    """
    plans = stored_plans(features)
    of_plans = [*_group(features), *plan_problems(features, plans)]
    if any(plan.lines is None for plan in plans.values()):
        return of_plans  # nobody knows whose the rows are, nor what of them is missing
    found = features.inventory()
    problems = [
        *of_plans,
        *_array(features, found),
        *_orphans(features, found),
        *_shards(features, found, level=level, only=shards),
        *table_problems(features, found),
    ]
    return sorted(problems, key=lambda problem: (problem.shard is None, problem.shard or 0))


def shards_to_repair(problems: Iterable[Problem]) -> list[int]:
    """List the shards to give to `FeatureArray.begin_repair`."""
    return sorted(
        {
            problem.shard
            for problem in problems
            if problem.shard is not None and problem.what in _REPAIRED_BY_WRITING
        }
    )


def _group(features: FeatureArray) -> list[Problem]:
    detail = group_fault(features.location, features.layout)
    path = features.description.uri
    return [Problem(what="group metadata", detail=detail, path=path)] if detail else []


def _array(features: FeatureArray, found: Inventory) -> list[Problem]:
    detail = array_fault(
        features.location,
        features.layout,
        at_least=max([row + 1 for row in found.finished_rows["row"]], default=0),
        at_most=max([row + 1 for row in found.plans["row"]], default=0),
    )
    path = (features.location / features.layout.array / DESCRIPTION).uri
    return [Problem(what="array metadata", detail=detail, path=path)] if detail else []


def _orphans(features: FeatureArray, found: Inventory) -> list[Problem]:
    kinds: list[tuple[Kind, Iterable[int], str]] = [
        ("shard orphaned", found.objects, "shard"),
        ("manifest orphaned", found.manifests, "manifest"),
    ]
    return [
        Problem(
            what=kind,
            shard=shard,
            detail=f"No plan gave a row of this {noun} to a track.",
            path=_path(features, kind, shard),
        )
        for kind, shards, noun in kinds
        for shard in sorted(set(shards) - found.planned_shards)
    ]


def _shards(
    features: FeatureArray, found: Inventory, *, level: Level, only: Container[int] | None
) -> list[Problem]:
    known = found.records.assign(shard=found.records["row"] // ROWS_PER_SHARD)
    facts = known.drop_duplicates("shard").set_index("shard")[["shard_size", "shard_sha256"]]
    shards = sorted(found.planned_shards & (set(facts.index.tolist()) | set(found.manifests)))
    sizes = {int(shard): int(size) for shard, size in facts["shard_size"].items()}  # type: ignore[call-overload]
    hashes = {int(shard): str(sha) for shard, sha in facts["shard_sha256"].items()}  # type: ignore[call-overload]

    def of_shard(shard: int) -> list[Problem]:
        problems = _manifest(features, found, shard, level=level)
        if shard in sizes:
            problems += _object(
                features, found, shard, size=sizes[shard], sha=hashes[shard], level=level
            )
        return problems

    wanted = [shard for shard in shards if only is None or shard in only]
    return [problem for problems in in_parallel(of_shard, wanted) for problem in problems]


def _manifest(
    features: FeatureArray, found: Inventory, shard: int, *, level: Level
) -> list[Problem]:
    if shard not in found.manifests:
        return [_problem(features, "manifest missing", shard, "rows.parquet knows this shard.")]
    if shard in found.problems:
        return [_problem(features, "manifest damaged", shard, found.problems[shard])]
    if level == "sizes":
        return []
    try:
        manifest = read_manifest(features.location, shard)
    except (NotFound, Damaged) as error:
        return [_problem(features, "manifest damaged", shard, str(error))]
    if manifest.to_json() != read_bounded(features.location / manifest_name(shard)):
        return [_problem(features, "manifest damaged", shard, "It is not written as it was.")]
    told = rows_of_manifests([(manifest, "")])[list(_COMPARED)].reset_index(drop=True)
    known = found.records[found.records["row"] // ROWS_PER_SHARD == shard]
    if told.equals(known.sort_values("row")[list(_COMPARED)].reset_index(drop=True)):
        return []
    return [_problem(features, "rows table", shard, "rows.parquet contradicts the manifest.")]


def _object(
    features: FeatureArray, found: Inventory, shard: int, *, size: int, sha: str, level: Level
) -> list[Problem]:
    entry = found.objects.get(shard)
    if entry is None:
        if not size:
            return []
        return [_problem(features, "shard missing", shard, f"It had {size} bytes.")]
    if entry.size != size:
        detail = f"It has {entry.size} bytes, its manifest says {size}."
        return [_problem(features, "shard size", shard, detail)]
    if level == "sizes":
        return []
    try:
        data = (features.location / features.layout.shard_name(shard)).read_bytes()
    except NotFound:
        return [_problem(features, "shard missing", shard, f"It had {size} bytes.")]
    if sha256(data).hexdigest() == sha:
        return []
    return [_problem(features, "shard bytes", shard, "Its sha256 is not that of its manifest.")]


def _problem(features: FeatureArray, what: Kind, shard: int, detail: str) -> Problem:
    return Problem(what=what, shard=shard, detail=detail, path=_path(features, what, shard))


def _path(features: FeatureArray, what: Kind, shard: int) -> str:
    if what == "rows table":
        return (features.location / "rows.parquet").uri
    is_shard = what.startswith("shard")
    name = features.layout.shard_name(shard) if is_shard else manifest_name(shard)
    return (features.location / name).uri
