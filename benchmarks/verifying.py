"""Reading all of a store against `sha256sum` of its files: ``python -m benchmarks.verifying``.

A store of 8,000 rows of the default preset, 125 shards of noise that compresses as little as music
does, with plan, manifests and tables (made up: no audio is decoded). What `genre status --verify`
does and `sha256sum` of the same files, in turn, medians of the rounds and of their ratios:

    cold      after the files were taken out of the memory that Linux reads them into
    warm      as they lie there after that
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.clips import say, workplace
from genre_model.frontends import preset
from storage.array.manifests import RowRecord
from storage.array.plans import AudioState, ShardWork, plan_work
from storage.array.shards import Block
from storage.store import Store
from tasks.features import array_attributes, array_layout
from tasks.status import describe_store

TRACKS, ROUNDS = 8_000, 5
LIMIT = 1.0
DATA_SET = "fma"


def make_store(folder: Path, *, tracks: int) -> Store:
    """Write a store with a finished array, as the stages of a run do."""
    store, spec = Store.create(folder), preset("default")
    features = store.features.create(
        data_set=DATA_SET,
        name=spec.key,
        layout=array_layout(spec),
        attributes=array_attributes(spec),
    )
    wanted = [AudioState(n, f"fma_small/{n:06d}.mp3", 1_000, "1") for n in range(1, tracks + 1)]
    plan = plan_work(features.inventory().known, wanted)
    features.prepare(plan)
    noise = _noise(features.layout.shard_shape)
    for work in plan.shards:
        data = np.roll(noise, work.shard, axis=0)  # so that no two shards have the same bytes
        data[len(work.rows) :] = 0
        features.write_shard(work, data, _records(work))
    features.finalise(plan.required)
    return store


def measure(folder: Path, *, tracks: int, rounds: int) -> dict[str, Any]:
    """Make the store, and read it both ways in turn."""
    say(f"making a store of {tracks:,} tracks")
    store = make_store(folder / "store", tracks=tracks)
    files = [path for path in sorted((folder / "store").rglob("*")) if path.is_file()]
    ways = {"verify": lambda: _verify(store), "sha256sum": lambda: _sha256sum(files)}
    rows = []
    for name, prepare in (("cold", _forget), ("warm", _leave)):
        taken: dict[str, list[float]] = {way: [] for way in ways}
        for number in range(rounds):
            say(f"{name}, round {number + 1}")
            for way, read in ways.items():
                prepare(files)
                taken[way].append(_seconds(read))
        pairs = zip(taken["verify"], taken["sha256sum"], strict=True)
        rows.append(
            {
                "files": name,
                **{f"{way}_s": round(statistics.median(each), 3) for way, each in taken.items()},
                "ratio": round(statistics.median(ours / theirs for ours, theirs in pairs), 3),
            }
        )
    megabytes = round(sum(path.stat().st_size for path in files) / 1e6, 1)
    facts = {"tracks": tracks, "files": len(files), "mb": megabytes, "cores": os.cpu_count()}
    return {**facts, "limit": LIMIT, "verifying": rows}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tracks", type=int, default=TRACKS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    with workplace() as folder:
        found = measure(folder, tracks=options.tracks, rounds=options.rounds)
    if options.json:
        print(json.dumps(found))
        return
    print(
        f"{found['tracks']:,} tracks, {found['files']:,} files of {found['mb']:,.0f} MB; "
        f"{found['cores']} cores\n\n{'':10}{'verify s':>12}{'sha256sum s':>12}{'ratio':>8}"
    )
    for row in found["verifying"]:
        print(
            f"{row['files']:10}{row['verify_s']:12.2f}{row['sha256sum_s']:12.2f}{row['ratio']:8.2f}"
        )
    print(f"\nlimit: {LIMIT}")


def _noise(shape: tuple[int, ...]) -> Block:
    return np.random.default_rng(0).normal(-40, 20, shape).astype(np.float16)


def _records(work: ShardWork) -> list[RowRecord]:
    return [
        RowRecord(
            row=row,
            track_id=state.track_id,
            path=state.path,
            size=state.size,
            etag=state.etag,
            sha256=f"{row:064x}",
            status="ok",
            windows=10,
            duration_s=30.0,
        )
        for row, state in work.rows
    ]


def _verify(store: Store) -> None:
    problems = describe_store(store, verify=True).problems
    if problems:
        raise AssertionError(f"a store that was just made has problems: {problems}")


def _sha256sum(files: list[Path]) -> None:
    subprocess.run(["sha256sum", "--", *files], stdout=subprocess.DEVNULL, check=True)


def _forget(files: list[Path]) -> None:
    """Take files out of the page cache, those that are on the disk already."""
    for path in files:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(descriptor)


def _leave(files: list[Path]) -> None:
    """Leave them where they are."""


def _seconds(read: Callable[[], None]) -> float:
    began = time.perf_counter()
    read()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
