"""What each network costs on one CPU core: ``python -m benchmarks.networks``.

Every network that takes windows, on its own preset's (`notebook` and `dong`: 64 x 256; the others:
128 x 128) with eight genres, on made windows in batches of 64. In turn, network by network:

    trained    windows a second of Keras's steps, forwards and backwards, float32
    named      windows a second of `model.onnx`, as `genre predict` runs it

Medians of the rounds, by the process's own seconds of CPU, so that what else the machine does costs
little; the first step of each, in which TensorFlow traces it, is left out. The process is held on
one core where the system lets it.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.clips import say
from genre_model.frontends import preset
from genre_model.networks import NETWORKS

if TYPE_CHECKING:
    import keras

BATCH, CLASSES, ROUNDS = 64, 8, 5
OF_NOTEBOOK = ("notebook", "dong")


def shape_for(network: str) -> tuple[int, ...]:
    """Return (bands, frames) of the windows that a network is measured on."""
    return preset("notebook" if network in OF_NOTEBOOK else "default").row_shape[1:]


def built(network: str) -> keras.Model:
    """Build a network, compiled as training does by default."""
    import keras

    from genre_model.networks import build_network
    from genre_model.networks.statistics import InputStatistics

    shape = shape_for(network)
    statistics = InputStatistics(
        np.full(shape[0], -40, np.float32), np.full(shape[0], 20, np.float32)
    )
    made = build_network(network, input_shape=shape, classes=CLASSES, statistics=statistics, seed=0)
    made.compile("adam", keras.losses.CategoricalCrossentropy(from_logits=True), jit_compile=False)
    return made


def multiply_adds(network: keras.Model) -> int:
    """Count those of convolutions and dense layers for one window."""
    count = 0
    for layer in network.layers:
        kernel = getattr(layer, "kernel", None)
        if kernel is not None:
            places = int(np.prod(layer.output.shape[1:-1]))
            count += places * int(np.prod(kernel.shape))
    return count


def measure(names: list[str], *, rounds: int) -> list[dict[str, Any]]:
    """Measure networks in turn, and give a line each."""
    from genre_model.learning.portable_network import portable_network
    from genre_model.portable.classifier import Classifier

    steps: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {}
    lines: dict[str, dict[str, Any]] = {}
    for name in names:
        network, windows, labels = built(name), _windows(name), np.eye(CLASSES)[_labels()]
        classifier = Classifier(portable_network(network))
        steps[name] = _step(network, windows, labels), _naming(classifier, windows)
        lines[name] = {
            "network": name,
            "window": "x".join(map(str, shape_for(name))),
            "parameters": network.count_params(),
            "multiply_adds": multiply_adds(network),
        }
    seconds: dict[str, list[tuple[float, ...]]] = {name: [] for name in names}
    for number in range(rounds + 1):
        for name in names:
            took = tuple(_seconds(step) for step in steps[name])
            say(f"{name}: {BATCH / took[0]:.0f} trained, {BATCH / took[1]:.0f} named a second")
            if number:
                seconds[name].append(took)
    for name, rounds_of in seconds.items():
        trained, named = (statistics.median(each) for each in zip(*rounds_of, strict=True))
        lines[name] |= {"trained": round(BATCH / trained, 1), "named": round(BATCH / named, 1)}
    return list(lines.values())


def _windows(name: str) -> np.ndarray:
    made = np.random.default_rng(0).normal(-40, 20, (BATCH, *shape_for(name)))
    return made.astype(np.float32)


def _labels() -> np.ndarray:
    return np.arange(BATCH) % CLASSES


def _step(network: keras.Model, windows: np.ndarray, labels: np.ndarray) -> Callable[[], object]:
    return lambda: network.train_on_batch(windows, labels)


def _naming(classifier: Any, windows: np.ndarray) -> Callable[[], object]:
    return lambda: classifier.probabilities(windows)


def _seconds(step: Callable[[], object]) -> float:
    began = time.process_time()
    step()
    return time.process_time() - began


def on_one_core() -> None:
    """Hold this process, and TensorFlow in it, on one core."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)


def main() -> None:
    """Print the table, or the JSON object."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="steps of each network")
    parser.add_argument("--network", action="append", help="one network only; repeatable")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    on_one_core()
    takers = [name for name, entry in NETWORKS.items() if entry.takes == "log_mel"]
    rows = measure(options.network or takers, rounds=options.rounds)
    if options.json:
        print(json.dumps({"networks": rows, "rounds": options.rounds}))
        return
    print(
        f"{'network':12}{'window':>9}{'parameters':>13}{'multiply-adds':>16}{'trained':>10}{'named':>9}"
    )
    for row in rows:
        millions = f"{row['multiply_adds'] / 1e6:,.1f} M"
        print(
            f"{row['network']:12}{row['window']:>9}{row['parameters']:>13,}{millions:>16}"
            f"{row['trained']:>10,.1f}{row['named']:>9,.1f}"
        )


if __name__ == "__main__":
    main()
