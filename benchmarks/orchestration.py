"""What a shard costs besides its work: ``python -m benchmarks.orchestration``.

stubs   what orchestrating one shard costs
clips   what share of a real feature run's time that is
rerun   how long a full run takes that finds everything done

Stubs: as many shards as a hundred thousand tracks make go the flow's own way (a task run each, the
Dask client, bounded), with full-sized jobs; only that the worker sleeps instead of decoding. CPU
times are those of the processes, from the first submission to the last outcome (the server's until
it has written everything down); a shard's turn is the time from its beginning to the beginning of
the next one at the same worker.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import rerun
from benchmarks.clips import make_data, say, workplace
from benchmarks.flow import run_flow
from benchmarks.processes import Sampler
from genre_model.frontends import preset
from tasks.worker.shards import ShardJob, ShardOutcome

if TYPE_CHECKING:
    from flows.build_features import Built
    from tasks.features import FeatureWork

WORK_S = 0.05
MOST_OUTSIDE = 0.1
PARTS = ("stubs", "clips", "rerun")
ROLES = ("driver", "scheduler", "server", "workers")


@dataclass(frozen=True, kw_only=True)
class Nap(ShardOutcome):
    """The outcome of a stub.

    Attributes
    ----------
    began, ended : float
        By the clock that all processes of a machine share.
    process : int
        The worker's.
    """

    began: float
    ended: float
    process: int


def nap(job: ShardJob) -> Nap:
    """Sleep for 50 ms instead of writing the shard."""
    began = time.monotonic()
    time.sleep(WORK_S)
    ended = time.monotonic()
    return Nap(
        shard=job.work.shard,
        statuses={"ok": len(job.work.rows)},
        windows=10 * len(job.work.rows),
        remarks=(),
        seconds=ended - began,
        began=began,
        ended=ended,
        process=os.getpid(),
    )


def run(folder: Path, *, shards: int, workers: int) -> tuple[Built, float, Sampler]:
    """Run the stubs.

    Returns
    -------
    Built
        With a `Nap` a shard.
    float
        When the last outcome was there.
    Sampler
        What the processes took meanwhile.
    """
    from flows.command import environment

    os.environ["PREFECT_HOME"] = str(folder / "prefect")
    environment.prepare()
    from prefect import flow

    from flows.build_features import build_shards
    from flows.dashboard import temporary_server

    work = _work(folder, shards=shards)
    sampler = Sampler(role_of)

    @flow(name="stubs")
    def stubs() -> tuple[Built, float]:
        with sampler:
            built = build_shards(work, workers=workers, compute=nap)
            ended = time.monotonic()
            # What the server still has to write down is part of its cost.
            time.sleep(2.0)
        return built, ended

    built, ended = stubs()
    temporary_server.flush()
    return built, ended, sampler


def role_of(command: Sequence[str]) -> str:
    """Name a descendant of this process by its command line."""
    line = " ".join(command)
    if "prefect" in line:
        return "server"
    if "distributed.Scheduler" in line:
        return "scheduler"
    if "distributed.Nanny" in line:
        return "nannies"
    return "workers" if "spawn_main" in line else "others"


def figures(built: Built, ended: float, sampler: Sampler, *, part: int) -> dict[str, Any]:
    """Return what is reported; the first and the last `part` shards beside all of them."""
    naps = [outcome for outcome in built.outcomes if isinstance(outcome, Nap)]
    order = sorted(each.ended for each in naps)
    began, until = ended - built.seconds, sampler.last
    turns = turns_ms(naps)
    ideal = len(naps) * WORK_S / built.workers
    return {
        "shards": len(naps),
        "workers": built.workers,
        "seconds": round(built.seconds, 2),
        "ideal_seconds": round(ideal, 2),
        "ratio": round(built.seconds / ideal, 3),
        "cpu_ms_a_shard": {
            role: {
                "all": _ms(sampler, role, began, until, len(naps)),
                "first": _ms(sampler, role, began, order[part - 1], part),
                "last": _ms(sampler, role, order[-part], ended, part),
            }
            for role in ROLES
        },
        "turn_ms": {
            "all": round(statistics.median(turns), 2),
            "first": round(statistics.median(turns[:part]), 2),
            "last": round(statistics.median(turns[-part:]), 2),
        },
        "driver_rss_mb": {
            "start": round(sampler.rss("driver", began) / 1e6, 1),
            "first": round(sampler.rss("driver", order[part - 1]) / 1e6, 1),
            "last": round(sampler.rss("driver", ended) / 1e6, 1),
        },
    }


def turns_ms(naps: Sequence[Nap]) -> list[float]:
    """Return from each beginning to the next at the same worker, in order [ms]."""
    last: dict[int, float] = {}
    turns = []
    for each in sorted(naps, key=lambda one: one.began):
        if each.process in last:
            turns.append(1_000 * (each.began - last[each.process]))
        last[each.process] = each.began
    return turns


def feature_run(folder: Path, *, clips: int, workers: int) -> dict[str, Any]:
    """Return what share of a real feature run's time its workers spent in no shard.

    Returns
    -------
    dict
        `clips`, `source`, `workers`, `seconds` from the first submission to the last manifest,
        `outside` (share of the workers' time in no shard), `limit`.
    """
    source = make_data(folder / "data", count=clips)
    measured = run_flow(
        folder, folder / "data", folder / "feature-store", workers=workers, clips=clips
    )
    return {
        "clips": clips,
        "source": source,
        "workers": workers,
        "seconds": round(measured.seconds, 2),
        "outside": round(measured.outside(workers), 4),
        "limit": MOST_OUTSIDE,
    }


def main() -> None:
    """Measure and print."""
    options = _options()
    part = min(100, options.shards // 4)
    found: dict[str, Any] = {}
    with workplace() as folder:
        if "stubs" in options.parts:
            say(f"{options.shards:,} shards of {1_000 * WORK_S:.0f} ms, {options.workers} workers")
            measured = run(folder, shards=options.shards, workers=options.workers)
            found["orchestration"] = figures(*measured, part=part)
        if "clips" in options.parts:
            say(f"a feature run of {options.clips:,} clips, {options.workers} workers")
            found["feature_run"] = feature_run(folder, clips=options.clips, workers=options.workers)
        if "rerun" in options.parts:
            say(f"genre run when all of {options.tracks:,} tracks is done")
            found["rerun"] = rerun.measure(folder, tracks=options.tracks)
    if options.json:
        print(json.dumps({"part": part, "cores": os.cpu_count(), **found}))
        return
    if stubs := found.get("orchestration"):
        _print_stubs(stubs, part=part)
    if clips := found.get("feature_run"):
        print(
            f"{clips['clips']:,} clips ({clips['source']}) on {clips['workers']} workers: "
            f"{clips['seconds']:.1f} s from the first submission to the last manifest, "
            f"{clips['outside']:.1%} of the workers' time in no shard "
            f"(limit {clips['limit']:.0%})\n"
        )
    if done := found.get("rerun"):
        print(
            f"genre run when all of {done['tracks']:,} tracks is done: {done['seconds']:.1f} s, "
            f"of it the flow {done['flow_seconds']:.1f} s (limit {done['limit_s']:.0f} s)"
        )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="what to measure")
    parser.add_argument("--shards", type=int, default=1_665, help="how many stubs, at least 20")
    parser.add_argument("--clips", type=int, default=3_200, help="clips of the feature run")
    parser.add_argument("--tracks", type=int, default=8_000, help="tracks of the rerun")
    parser.add_argument("--workers", type=int, default=2, help="how many Dask workers")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    if options.shards < 20:
        parser.error(f"--shards is {options.shards}; 20 is the least that tells first from last")
    return options


def _print_stubs(found: dict[str, Any], *, part: int) -> None:
    print(
        f"{found['shards']:,} shards of {1_000 * WORK_S:.0f} ms on {found['workers']} workers: "
        f"{found['seconds']:.1f} s, {found['ratio']:.2f} times the ideal "
        f"{found['ideal_seconds']:.1f} s\n"
    )
    print(f"{'':24}{'all':>9}{f'first {part}':>11}{f'last {part}':>11}")
    for role, row in found["cpu_ms_a_shard"].items():
        print(_line(f"{role}, CPU ms a shard", row))
    print(_line("a shard's turn, ms", found["turn_ms"]))
    rss = found["driver_rss_mb"]
    print(
        f"\ndriver's memory: {rss['start']:.0f} MB at the start, {rss['first']:.0f} MB after the "
        f"first {part}, {rss['last']:.0f} MB at the end\n"
    )


def _line(name: str, row: dict[str, float]) -> str:
    return f"{name:24}{row['all']:9.1f}{row['first']:11.1f}{row['last']:11.1f}"


def _ms(sampler: Sampler, role: str, start: float, end: float, shards: int) -> float:
    return round(1_000 * (sampler.cpu(role, end) - sampler.cpu(role, start)) / shards, 2)


def _work(folder: Path, *, shards: int) -> FeatureWork:
    """Plan shards of 64 tracks that are nowhere."""
    from genre_model.data.fma.subset_tracks import audio_path
    from storage.array.layout import ROWS_PER_SHARD
    from storage.array.plans import AudioState, plan_work
    from storage.places.address import parse_location
    from storage.store import Store
    from tasks.features import FeatureWork, array_layout

    spec = preset("default")
    features = Store.create(folder / "store").features.create(
        data_set="fma",
        name=spec.key,
        layout=array_layout(spec),
        attributes={"preset": spec.name, "spec": spec.to_dict()},
    )
    etag = str(time.time_ns())
    wanted = [
        AudioState(track_id, audio_path(track_id), 1_000_000 + track_id, etag)
        for track_id in range(1, shards * ROWS_PER_SHARD + 1)
    ]
    plan = plan_work(features.inventory().known, wanted)
    return FeatureWork(
        features=features, data=parse_location(folder / "data"), spec=spec, plan=plan
    )


if __name__ == "__main__":
    # The workers import the stub by this name; of `__main__` they would each get a copy a shard.
    from benchmarks.orchestration import main as main_by_name

    main_by_name()
