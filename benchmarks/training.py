"""Training from where shards lie: ``python -m benchmarks.training`` (SeaweedFS: `make services`).

The default network learns made rows of the default preset's shape. In turn, epoch by epoch of one
and the same training, the shards are read

    memory    from a list of arrays
    folder    from a store in a folder
    S3        from a store in a SeaweedFS that is started here
    S3, late  from there, through a proxy that delays every answer; and so, but one by one

A line has the training windows a second of the epochs' time (validation is in it), that as a share
of memory's, the stall share (how much of the time went by waiting for shards), and the seconds that
this is of an epoch. All medians. The first epoch, in which the network is built, is left out.

A second table has the same network over the same number of windows, epoch by epoch in turn, as a
share (median of pairs) of what it makes of one batch that lies on the device already, again and
again, in Keras's bare loop: with the windows kept (`training.feed=resident`), and read in each
epoch from a folder. Goals are .95 and .85. Where epochs fall on one core or on both as it happens,
``--one-core`` has them all on one; what feeds the network then takes that from it, too.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.clips import say, workplace
from benchmarks.turns import Turns
from genre_model.frontends import preset
from genre_model.learning.batches import ReadShard, RowIndex
from genre_model.recipe import TrainSpec
from storage.array.feature_array import FeatureArray
from storage.array.layout import ROWS_PER_SHARD
from storage.array.shards import encode_shard
from storage.places.bucket import Bucket
from storage.places.folder import Folder
from storage.places.location import Location
from tasks.features import array_layout
from tests.s3_proxy import Proxy
from tests.seaweedfs import SeaweedFS

SHARDS, ROUNDS, LATE_MS = 12, 3, 100
CLASSES = 8
BUCKET = "bench"
SPEC = preset("default")

OnRate = Callable[[int, float], None]
"""Told an epoch's number (from 1) and its windows a second; another way has its turn meanwhile."""


def make_shards(count: int) -> list[np.ndarray]:
    """Make whole shards of noise, in dB as features are."""
    generator = np.random.default_rng(0)
    shape = (ROWS_PER_SHARD, *SPEC.row_shape)
    return [
        generator.normal(-40, 20, shape).astype(np.float32).astype(np.float16) for _ in range(count)
    ]


def measure(ways: Mapping[str, ReadShard], *, shards: int, rounds: int) -> list[dict[str, Any]]:
    """Train for so many epochs each way, in turn, and give a line a way, `memory` first."""
    from genre_model.learning.training import train

    names = list(ways)
    now = [names[-1]]  # of the first epoch, which is left out
    lines: dict[str, list[Mapping[str, float]]] = defaultdict(list)

    def on_epoch(number: int, most: int, history: Sequence[Mapping[str, float]]) -> None:
        line = history[-1]
        if number > 1:
            lines[now[0]].append(line)
        now[0] = names[(number - 1) % len(names)]
        say(f"epoch {number} of {most}: {line['seconds']:.1f} s")

    held_out = max(1, shards // 6)
    training = _rows(range(shards - held_out))
    epochs = 1 + rounds * len(names)
    train(
        training,
        validation=_rows(range(shards - held_out, shards)),
        read_shard=lambda shard: ways[now[0]](shard),
        rows_per_shard=ROWS_PER_SHARD,
        classes=CLASSES,
        spec=TrainSpec(epochs=epochs, patience=epochs, feed="streaming"),
        on_epoch=on_epoch,
    )
    return _table(lines, windows=training.window_count)


def _table(lines: Mapping[str, list[Mapping[str, float]]], *, windows: int) -> list[dict[str, Any]]:
    seconds = {way: [line["seconds"] for line in each] for way, each in lines.items()}
    return [
        {
            "from": way,
            "windows_a_second": round(windows / statistics.median(seconds[way]), 1),
            "ratio": round(_ratio(seconds["memory"], seconds[way]), 3),
            "stall_share": round(statistics.median(line["stall_share"] for line in each), 4),
            "waited_s": round(
                statistics.median(line["stall_share"] * line["seconds"] for line in each), 3
            ),
        }
        for way, each in lines.items()
    ]


def _ratio(one: list[float], other: list[float]) -> float:
    return statistics.median(ours / theirs for ours, theirs in zip(one, other, strict=True))


def measure_feeds(read_shard: ReadShard, *, shards: int, rounds: int) -> list[dict[str, Any]]:
    """Train by each way of feeding, epoch by epoch in turn, and give a line a way.

    The first line is what lies on the device. The first epoch of each way, in which its network
    is built, is left out.
    """
    training = _rows(range(shards - 1))
    rates: dict[str, list[float]] = defaultdict(list)

    def told(name: str, number: int, rate: float) -> None:
        if number > 1:
            rates[name].append(rate)
            say(f"round {number - 1} of {rounds}: {name}, {rate:.0f} windows/s")

    epochs = rounds + 1
    ways: dict[str, Callable[[OnRate], None]] = {
        "the device": partial(_bare, training.window_count, epochs=epochs),
        "resident": partial(_fed, "resident", training, read_shard, shards=shards, epochs=epochs),
        "streaming": partial(_fed, "streaming", training, read_shard, shards=shards, epochs=epochs),
    }
    turns = Turns(len(ways))
    with ThreadPoolExecutor(len(ways)) as threads:
        done = [threads.submit(turns.taken, way, partial(told, name)) for name, way in ways.items()]
    for each in done:
        each.result()
    return [
        {
            "fed": name,
            "windows_a_second": round(statistics.median(each), 1),
            "ratio": round(_ratio(each, rates["the device"]), 3),
        }
        for name, each in rates.items()
    ]


def _fed(
    feed: Any,
    training: RowIndex,
    read_shard: ReadShard,
    on_rate: OnRate,
    *,
    shards: int,
    epochs: int,
) -> None:
    """Train, and tell the windows a second of each epoch, without its validation."""
    from genre_model.learning.training import train

    def on_epoch(number: int, _most: int, history: Sequence[Mapping[str, float]]) -> None:
        on_rate(number, history[-1]["windows_per_second"])

    train(
        training,
        validation=_rows(range(shards - 1, shards)),
        read_shard=read_shard,
        rows_per_shard=ROWS_PER_SHARD,
        classes=CLASSES,
        spec=TrainSpec(epochs=epochs, patience=0, feed=feed),
        on_epoch=on_epoch,
    )


def _bare(windows: int, on_rate: OnRate, *, epochs: int) -> None:
    """Tell the windows a second of Keras's own loop over one batch on the device."""
    import keras
    import tensorflow as tf

    from genre_model.learning.stepping.optimisers import make_optimiser
    from genre_model.networks import build_network
    from genre_model.networks.statistics import InputStatistics

    spec, shape = TrainSpec(), SPEC.row_shape[1:]
    steps = -(-windows // spec.batch_size)
    statistics_of = InputStatistics(np.full(shape[0], -40.0), np.full(shape[0], 20.0))
    network = build_network(
        "default", input_shape=shape, classes=CLASSES, statistics=statistics_of, seed=0
    )
    network.compile(
        optimizer=make_optimiser(spec, steps),
        loss=keras.losses.CategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        jit_compile=False,
    )
    generator = np.random.default_rng(0)
    batch = generator.normal(-40, 20, (spec.batch_size, *shape)).astype(np.float16)
    targets = np.eye(CLASSES, dtype=np.float32)[np.arange(spec.batch_size) % CLASSES]
    again = tf.data.Dataset.from_tensors((batch, targets)).repeat(steps)
    for number in range(1, epochs + 1):
        began = time.perf_counter()
        network.fit(again, epochs=1, verbose=0)
        on_rate(number, steps * spec.batch_size / (time.perf_counter() - began))


def _rows(shards: range) -> RowIndex:
    rows = np.arange(shards.start * ROWS_PER_SHARD, shards.stop * ROWS_PER_SHARD)
    windows = np.full(len(rows), SPEC.windows)
    return RowIndex(rows, (rows % CLASSES).astype(np.int32), windows, rows)


@contextmanager
def _ways(
    folder: Path, shards: list[np.ndarray], *, late_ms: float
) -> Iterator[dict[str, ReadShard]]:
    with SeaweedFS(folder / "seaweedfs") as server:
        server.make_bucket(BUCKET)
        options = server.options()
        with Proxy(server.endpoint_url, lambda _asked: "delay", late_ms / 1e3) as proxy:
            late = options | {"endpoint_url": proxy.endpoint_url}
            stores = {
                "folder": _store(Folder(folder / "store")),
                "S3": _store(Bucket(BUCKET, "store", options)),
                f"S3, {late_ms:g} ms late": _store(Bucket(BUCKET, "store", late)),
            }
            for number, shard in enumerate(shards):
                data = encode_shard(shard)
                for name in ("folder", "S3"):
                    name_there = stores[name].layout.shard_name(number)
                    (stores[name].location / name_there).write_bytes(data)
            readers = {name: store.read_shard for name, store in stores.items()}
            slow, read = list(readers.items())[-1]
            yield {
                "memory": shards.__getitem__,
                **readers,
                f"{slow}, one by one": _one_by_one(read),
            }


def _one_by_one(read: ReadShard) -> ReadShard:
    """Read as before several were read at once."""
    one = threading.Lock()

    def read_alone(shard: int) -> np.ndarray:
        with one:
            return read(shard)

    return read_alone


def _store(location: Location) -> FeatureArray:
    return FeatureArray(
        location=location, data_set="made", name=SPEC.key, layout=array_layout(SPEC)
    )


def _print(found: dict[str, Any]) -> None:
    print(
        f"{'shards from':28}{'windows/s':>12}{'to memory':>12}{'stall share':>14}{'waited s':>10}"
    )
    for row in found["training"]:
        print(
            f"{row['from']:28}{row['windows_a_second']:12.0f}{row['ratio']:12.2f}"
            f"{row['stall_share']:14.1%}{row['waited_s']:10.2f}"
        )
    print(f"\n{'windows from':28}{'windows/s':>12}{'to the device':>16}")
    for row in found["feeding"]:
        print(f"{row['fed']:28}{row['windows_a_second']:12.0f}{row['ratio']:16.2f}")
    print(
        f"\n{found['shards']} shards, {found['rounds']} epochs each way, on {found['device']}; "
        f"{found['seconds']} s in all"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shards", type=int, default=SHARDS, help="two or more")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="epochs each way")
    parser.add_argument("--late-ms", type=float, default=LATE_MS, help="of the delayed answers")
    parser.add_argument("--one-core", action="store_true", help="hold all of it on one core")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    if options.one_core and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    began = time.monotonic()
    say("shards")
    shards = make_shards(options.shards)
    with workplace() as folder, _ways(folder, shards, late_ms=options.late_ms) as ways:
        from genre_model.learning.devices import training_device

        rows = measure(ways, shards=options.shards, rounds=options.rounds)
        fed = measure_feeds(ways["folder"], shards=options.shards, rounds=options.rounds)
        device = training_device()
    found = {
        "training": rows,
        "feeding": fed,
        "shards": options.shards,
        "rounds": options.rounds,
        "device": device,
        "seconds": round(time.monotonic() - began, 1),
    }
    if options.json:
        print(json.dumps(found | {"cores": os.cpu_count()}))
    else:
        _print(found)


if __name__ == "__main__":
    main()
