"""What frozen nets know of genres, beside classical statistics, where few tracks are labelled.

``python -m benchmarks.backbones --data DATA --store STORE`` (which has the backbones, as of
``genre backbone add musicnn``). For each preset the `linear` network is fitted to four fifths of
the tracks and judged on the rest, five times over, no artist in two parts; all that five times
more, with other parts. Intervals are 95 %, by bootstrap over artists; so is the difference to the
first preset, on the same tracks. Folds by artist are not folds by source: where many tracks of a
genre come from one game or series, all of it is too high.

A second table has what a clip costs, CPU seconds of one thread, median over some clips in turn:
the preset's row, and its parts: decoding with resampling, patches, and onnxruntime on them, a
session of its own with nothing of ours around it. The row may cost 1.10 times their sum.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold

from benchmarks.clips import say
from benchmarks.features import ONE_THREAD, decode_only, load_clips
from genre_model.frontends import Frontend
from genre_model.frontends.backbone import BackboneExtractor
from genre_model.learning.batches import RowIndex
from genre_model.learning.fitting import fit
from genre_model.learning.inference import predict_rows
from genre_model.recipe import ModelSpec, TrainSpec
from genre_model.signal.waveforms import ClipReader
from storage.places.address import parse_location
from storage.store import Store
from tasks.backbones.presets import find_preset, weights_of
from tasks.catalogue import find_catalogue

PRESETS = ("mfcc", "mtt-musicnn", "msd-vgg", "musicnn")
FOLDS, REPEATS, DRAWS = 5, 5, 2_000
PARTS = ("read and resample", "patches", "onnxruntime bare")
LIMIT = 1.10
"""What a row may cost, of the sum of its parts."""


def rows_of(store: Store, spec: Frontend, paths: list[Path]) -> tuple[np.ndarray, np.ndarray]:
    """Return rows float16 [tracks, windows, values], and how many windows of each are whole."""
    extractor = spec.build().given([place.read_bytes() for place in weights_of(store, spec)])
    rows = np.zeros((len(paths), *spec.row_shape), np.float16)
    whole = np.zeros(len(paths), np.int64)
    for place, path in enumerate(paths):
        windows = extractor.windows(path).windows if path.is_file() else None
        if windows is not None:
            rows[place, : len(windows)], whole[place] = windows, len(windows)
    return rows, whole


def judged(
    rows: np.ndarray, whole: np.ndarray, tracks: pd.DataFrame, *, folds: int, repeats: int
) -> np.ndarray:
    """Return how often each track was named right, of the times it was held out [0 to 1]."""
    genres = sorted(tracks["genre"].unique())
    labels = tracks["genre"].map(genres.index).to_numpy(np.int32)
    artists = tracks["artist"].to_numpy(np.int64)
    right = np.zeros(len(tracks))

    def index(places: np.ndarray) -> RowIndex:
        return RowIndex(places, labels[places], whole[places], places)

    for repeat in range(repeats):
        splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=repeat)
        for kept, held_out in splitter.split(rows, labels, artists):
            found = fit(
                index(kept),
                validation=index(held_out),
                artists=artists[kept],
                read_shard=lambda _shard: rows,
                rows_per_shard=len(rows),
                classes=len(genres),
                model=ModelSpec(network="linear"),
                spec=TrainSpec(seed=repeat),
            )
            predicted = predict_rows(
                found.model, index(held_out), lambda _shard: rows, rows_per_shard=len(rows)
            ).tracks()
            named = predicted.probabilities.argmax(axis=1)
            right[predicted.track_ids] += named == predicted.labels
    return right / repeats


def figures(right: np.ndarray, tracks: pd.DataFrame, base: np.ndarray) -> dict[str, list[float]]:
    """Return accuracy, balanced accuracy and both differences to `base`, each with its interval."""
    genres = tracks["genre"].to_numpy()
    names = np.unique(genres)
    by_artist = [np.flatnonzero(tracks["artist"] == each) for each in tracks["artist"].unique()]
    generator = np.random.default_rng(0)

    def measured(places: np.ndarray) -> tuple[float, float, float, float]:
        own, other = right[places], base[places]
        masks = [genres[places] == name for name in names]
        masks = [mask for mask in masks if mask.any()]
        balanced = [float(np.mean([each[m].mean() for m in masks])) for each in (own, other)]
        gain = float(own.mean() - other.mean())
        return float(own.mean()), balanced[0], gain, balanced[0] - balanced[1]

    all_tracks = measured(np.arange(len(tracks)))
    draws = []
    for _ in range(DRAWS):
        drawn = generator.integers(len(by_artist), size=len(by_artist))
        draws.append(measured(np.concatenate([by_artist[each] for each in drawn])))
    low, high = np.quantile(draws, [0.025, 0.975], axis=0)
    keys = ("accuracy", "balanced", "to_first", "balanced_to_first")
    return {
        key: [round(float(value), 3) for value in each]
        for key, *each in zip(keys, all_tracks, low, high, strict=True)
    }


def bare_net(content: bytes, output: str) -> Callable[[np.ndarray], object]:
    """Return what runs an ONNX file on patches by onnxruntime alone, on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    (takes,) = session.get_inputs()
    batch = takes.shape[0] if isinstance(takes.shape[0], int) else None

    def run(patches: np.ndarray) -> object:
        given = patches[..., None] if len(takes.shape) == 4 else patches
        step = batch or len(given)
        given = np.concatenate(
            [given, np.zeros((-len(given) % step, *given.shape[1:]), np.float32)]
        )
        whole = range(0, len(given), step)
        return [session.run([output], {takes.name: given[at : at + step]}) for at in whole]

    return run


def cost(extractor: BackboneExtractor, clips: list[bytes]) -> dict[str, float]:
    """Return the CPU seconds of a clip's row and of its parts, medians over clips."""
    reader = ClipReader(extractor.cutting.sample_rate)
    whole = extractor.spec.windows
    nets = [
        bare_net(content, net.output)
        for content, net in zip(extractor._weights, extractor.spec.nets, strict=True)
    ]
    waveforms = [reader.read(content).waveform.copy() for content in clips]
    patches = [extractor.cut_patches(each, whole=whole) for each in waveforms]
    ways: dict[str, Callable[[int], object]] = {
        "decode": lambda at: decode_only(clips[at]),
        "read and resample": lambda at: reader.read(clips[at]),
        "patches": lambda at: extractor.cut_patches(waveforms[at], whole=whole),
        "onnxruntime bare": lambda at: [net(patches[at]) for net in nets],
        "the row": lambda at: extractor.windows(clips[at]),
    }
    extractor.prepare()
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for at in range(len(clips)):
        for name, way in ways.items():
            began = time.thread_time()
            way(at)
            seconds[name].append(time.thread_time() - began)
    medians = {name: statistics.median(each) for name, each in seconds.items()}
    parts = sum(medians[name] for name in PARTS)
    found = {**medians, "sum of the parts": parts, "ratio": medians["the row"] / parts}
    return {name: round(value, 4) for name, value in found.items()}


def main() -> None:
    """Write both tables, or one JSON object."""
    if ONE_THREAD.items() - os.environ.items():
        # They are read when numpy is imported.
        os.execve(sys.executable, sys.orig_argv, {**os.environ, **ONE_THREAD})
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--store", required=True)
    parser.add_argument("--presets", default=",".join(PRESETS))
    parser.add_argument("--folds", type=int, default=FOLDS)
    parser.add_argument("--repeats", type=int, default=REPEATS)
    parser.add_argument("--clips", type=int, default=12)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    store = Store.open(asked.store)
    tracks = find_catalogue.fn(parse_location(str(asked.data))).catalogue.tracks
    alone = -1 - tracks["track_id"]
    tracks = tracks.assign(artist=tracks["artist_id"].fillna(alone).astype("int64"))
    names = asked.presets.split(",")
    specs = {name: find_preset(store, name) for name in names}
    found = {}
    for name, spec in specs.items():
        say(f"making the rows of {name}")
        found[name] = rows_of(store, spec, [asked.data / path for path in tracks["path"]])
    kept = np.all([whole > 0 for _, whole in found.values()], axis=0)
    tracks = tracks[kept].reset_index(drop=True)
    result: dict[str, object] = {
        "tracks": len(tracks),
        "artists": int(tracks["artist"].nunique()),
        "genres": tracks["genre"].value_counts().to_dict(),
    }
    right: dict[str, np.ndarray] = {}
    lines: dict[str, object] = {}
    for name, (rows, whole) in found.items():
        say(f"judging {name}")
        right[name] = judged(
            rows[kept], whole[kept], tracks, folds=asked.folds, repeats=asked.repeats
        )
        lines[name] = figures(right[name], tracks, right[names[0]])
    source, clips = load_clips(asked.data, count=asked.clips)
    if not clips:
        source, clips = load_clips(None, count=asked.clips)
    made = {
        name: spec.build().given([place.read_bytes() for place in weights_of(store, spec)])
        for name, spec in specs.items()
    }
    costs = {
        name: cost(extractor, clips)
        for name, extractor in made.items()
        if isinstance(extractor, BackboneExtractor)
    }
    result |= {"presets": lines, "cost": costs, "cost_of": source, "limit": LIMIT}
    if asked.json:
        print(json.dumps(result, indent=1))
        return
    print(f"{len(tracks)} tracks of {result['artists']} artists; {result['genres']}")
    print(pd.DataFrame(lines).T.to_string())
    print(pd.DataFrame(costs).T.to_string())
    print(f"\nlimit of the ratio of the row to the sum of its parts: {LIMIT:.2f}")


if __name__ == "__main__":
    main()
