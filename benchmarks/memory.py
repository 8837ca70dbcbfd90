"""What a worker keeps in memory, shard after shard: ``python -m benchmarks.memory``.

One Dask worker of the kind that the flow starts writes shards of real clips, one after another; its
resident memory and its decoder's are read after each, and sampled meanwhile for the peak.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.clips import make_data, say, workplace
from benchmarks.processes import Sampler
from benchmarks.shard_jobs import plan_jobs
from flows.engine.cluster import dask_client
from storage.array.layout import ROWS_PER_SHARD
from tasks.worker.shards import ShardJob, write_shard

LIMIT_MB = 600
ROLES = ("worker", "decoder")
_SAMPLE_EVERY_S = 0.05


def role_of(command: Sequence[str]) -> str:
    """Name a descendant of this process by its command line."""
    line = " ".join(command)
    if "tasks.worker.decoder_child" in line:
        return "decoder"
    return "worker" if "spawn_main" in line else "others"


def follow(jobs: Sequence[ShardJob], *, sampler: Sampler) -> Iterator[dict[str, float]]:
    """Write the shards, and yield after each what the worker and its decoder hold [MB]."""
    with dask_client(workers=1) as client, sampler:
        for number, job in enumerate(jobs, start=1):
            client.submit(write_shard, job, pure=False).result()
            held = sampler.now()
            # A hundred shards would fill the disk, and the page cache, for nothing.
            path = (
                job.features.location / job.features.layout.shard_name(job.work.shard)
            ).local_path
            assert path is not None
            path.unlink()
            yield {"shard": number, **{role: round(held[role] / 1e6, 1) for role in ROLES}}


def table(
    held: Sequence[dict[str, float]], peaks: dict[str, float], *, shown: Sequence[int]
) -> list[dict[str, Any]]:
    """Return one row for each of the shown shards, and one of the peaks [MB]."""
    rows = [
        {"after": f"shard {number}", **{role: held[number - 1][role] for role in ROLES}}
        for number in shown
    ]
    return [*rows, {"after": "peak", **peaks}]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shards", type=int, default=100, help="how many, one after another")
    parser.add_argument(
        "--clips", type=int, help=f"how many in all; {ROWS_PER_SHARD} a shard by default"
    )
    parser.add_argument("--data", type=Path, help="a folder of FMA's layout to take clips from")
    parser.add_argument("--preset", default="default", help="what a clip becomes")
    parser.add_argument(
        "--store", type=Path, help="a store that has the backbone of the preset; it is copied"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    clips = options.clips or options.shards * ROWS_PER_SHARD
    sampler = Sampler(role_of, every_s=_SAMPLE_EVERY_S)
    held = []
    with workplace() as folder:
        source = make_data(folder / "data", count=clips, source=options.data)
        if options.store is not None:
            shutil.copytree(options.store / "backbones", folder / "store" / "backbones")
            shutil.copy(options.store / "store.json", folder / "store")
        jobs = plan_jobs(folder / "data", folder / "store", preset=options.preset)
        for line in follow(jobs, sampler=sampler):
            held.append(line)
            say(f"shard {line['shard']:.0f} of {len(jobs)}: worker {line['worker']:.0f} MB")
    peaks = {role: round(sampler.peak(role) / 1e6, 1) for role in ROLES}
    both = round(sampler.peak(*ROLES) / 1e6, 1)
    marks = [number for number in (1, 2, 5, 10, 20, 50, 100, len(held)) if number <= len(held)]
    rows = table(held, peaks, shown=sorted(set(marks)))
    if options.json:
        facts = {"shards": len(held), "clips": clips, "source": source, "cores": os.cpu_count()}
        print(json.dumps({**facts, "limit_mb": LIMIT_MB, "peak_mb": both, "memory": rows}))
        return
    print(f"{len(held)} shards of {clips:,} tracks from {source}; resident memory in MB\n")
    print(f"{'after':16}{'worker':>9}{'decoder':>9}{'both':>9}")
    for row in rows[:-1]:
        print(_line(row, row["worker"] + row["decoder"]))
    print(_line(rows[-1], both))
    print(f"\nlimit: {LIMIT_MB} MB")


def _line(row: dict[str, Any], both: float) -> str:
    return f"{row['after']:16}{row['worker']:9.1f}{row['decoder']:9.1f}{both:9.1f}"


if __name__ == "__main__":
    main()
