"""What orchestration costs: ``python -m benchmarks.flow``.

The flow `build-features` (Prefect, Dask, manifests, progress) against plain processes that call the
same function on the same shards with nothing around them. The ways are run one after another in one
run, each into a fresh store, in turned order in every second round. A span lasts from the first
submission (of the plain processes: from their common start, when all is imported) to the last
manifest.
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
import shutil
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.clips import make_data, say, workplace
from benchmarks.shard_jobs import plan_jobs


@dataclass(frozen=True)
class Way:
    """How the shards are written, and by how many processes."""

    kind: str
    workers: int

    @property
    def name(self) -> str:
        """Say it for the table."""
        what = "process" if self.kind == "bare" else "worker"
        return f"{self.kind}, {self.workers} {what}{'es'[what == 'worker' :] * (self.workers > 1)}"


@dataclass(frozen=True)
class Measured:
    """One run of one way.

    Attributes
    ----------
    seconds : float
        The span.
    worker_seconds : float
        Time in shards, summed over the processes.
    """

    seconds: float
    worker_seconds: float

    def outside(self, workers: int) -> float:
        """Return the share of the workers' time that was spent in no shard."""
        return 1 - self.worker_seconds / (workers * self.seconds)


def run_bare(folder: Path, data: Path, store: Path, *, processes: int) -> Measured:
    """Write all shards in plain processes, each with its part of them."""
    jobs = folder / "jobs.pickle"
    jobs.write_bytes(pickle.dumps(plan_jobs(data, store)))
    started = [_start_bare(jobs, first, processes) for first in range(processes)]
    try:
        for process in started:
            _line(process)
        began = time.monotonic()
        for process in started:
            print("go", file=process.stdin, flush=True)
        ended: list[dict[str, float]] = [json.loads(_line(process)) for process in started]
    finally:
        for process in started:
            process.kill()
            process.wait()
    return Measured(
        seconds=max(each["ended"] for each in ended) - began,
        worker_seconds=sum(each["worker_seconds"] for each in ended),
    )


def run_flow(folder: Path, data: Path, store: Path, *, workers: int, clips: int) -> Measured:
    """Write all shards by the command `genre features`, with a Prefect of its own."""
    command = ["features", "--data", data, "--store", store, "--workers", workers, "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "flows.command.cli", *map(str, command)],
        env={**os.environ, "PREFECT_HOME": str(folder / "prefect")},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    result: dict[str, Any] = json.loads(done.stdout)
    if result["written"] != clips:
        raise RuntimeError(f"{result['written']} of {clips} clips were written: {result}")
    return Measured(result["building_seconds"], result["worker_seconds"])


def measure(folder: Path, ways: list[Way], *, clips: int, rounds: int) -> dict[Way, list[Measured]]:
    """Run every way once a round on the data in `folder`."""
    found: dict[Way, list[Measured]] = {way: [] for way in ways}
    data, store = folder / "data", folder / "store"
    for number in range(rounds):
        for way in ways if number % 2 == 0 else reversed(ways):
            say(f"round {number + 1} of {rounds}: {way.name}")
            # What the way before wrote must not be written out at this one's cost.
            os.sync()
            if way.kind == "bare":
                one = run_bare(folder, data, store, processes=way.workers)
            else:
                one = run_flow(folder, data, store, workers=way.workers, clips=clips)
            say(f"  {one.seconds:.1f} s, {clips / one.seconds:.1f} clips/s")
            found[way].append(one)
            shutil.rmtree(store)
    return found


def table(found: dict[Way, list[Measured]], *, clips: int) -> list[dict[str, object]]:
    """Return one row a way; ratios are medians of those within a round."""
    return [
        {
            "way": way.name,
            "kind": way.kind,
            "workers": way.workers,
            "seconds": round(statistics.median(run.seconds for run in runs), 2),
            "clips_a_second": round(statistics.median(clips / run.seconds for run in runs), 2),
            "outside": round(statistics.median(run.outside(way.workers) for run in runs), 4),
            "efficiency": _gain(runs, found[Way("bare", way.workers)]),
            "scaling": _gain(runs, found[Way(way.kind, 1)]),
        }
        for way, runs in found.items()
    ]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=3_200, help="how many clips")
    parser.add_argument("--workers", type=int, default=2, help="how many, besides one")
    parser.add_argument("--rounds", type=int, default=1, help="how often each way is run")
    parser.add_argument("--data", type=Path, help="a folder of FMA's layout to take clips from")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    counts = dict.fromkeys((options.workers, 1))
    ways = [Way(kind, count) for count in counts for kind in ("bare", "flow")]
    with workplace() as folder:
        source = make_data(folder / "data", count=options.clips, source=options.data)
        found = measure(folder, ways, clips=options.clips, rounds=options.rounds)
    rows = table(found, clips=options.clips)
    if options.json:
        facts = {"clips": options.clips, "source": source, "rounds": options.rounds}
        print(json.dumps({**facts, "cores": os.cpu_count(), "flow": rows}))
        return
    print(f"{options.clips:,} tracks from {source}; {os.cpu_count()} cores\n")
    print(f"{'':22}{'clips/s':>9}{'seconds':>9}{'outside':>9}{'to bare':>9}{'to one':>8}")
    for row in rows:
        print(
            f"{row['way']:22}{row['clips_a_second']:9.1f}{row['seconds']:9.1f}"
            f"{row['outside']:9.1%}{row['efficiency']:9.2f}{row['scaling']:8.2f}"
        )
    print("\noutside: share of the workers' time in no shard")


def _gain(runs: list[Measured], base: list[Measured]) -> float:
    pairs = zip(runs, base, strict=True)
    return round(statistics.median(other.seconds / mine.seconds for mine, other in pairs), 3)


def _start_bare(jobs: Path, first: int, step: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "benchmarks.bare", str(jobs), str(first), str(step)],
        env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise RuntimeError(f"a plain process ended early, with {process.wait()}")
    return line


if __name__ == "__main__":
    main()
