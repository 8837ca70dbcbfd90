"""Each part of a recipe left out in turn: ``python -m benchmarks.recipes --data DATA``.

A network is trained by a recipe of published parts, then without each of them, then by the
defaults, every line with the same seeds and the same tracks. Tracks are dealt anew by each seed to
folds that no artist is in two of; one is judged, the next one chooses the epoch, the others are
learned from, until each was judged once. With ``--official`` the catalogue's training split is
learned from, and its validation split judged, which chooses the epoch too; the test split chooses
nothing and is never read.

Figures are shares of tracks, means over the seeds. Intervals are 95 %, by bootstrap over artists;
so is the difference to the whole recipe, on the same tracks. One that holds 0 tells nothing.

With ``--made LEVEL`` in place of ``--data`` the tracks are those of the built-in set, with LEVEL
times as many of their ingredients from other genres: at 1 it is too easy to tell recipes apart.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold

from benchmarks.backbones import figures
from benchmarks.clips import say, workplace
from genre_model.demo import genres_csv, plan_demo, render_track, tracks_csv
from genre_model.errors import InvalidSpec
from genre_model.frontends import Frontend
from genre_model.frontends.log_mel import LogMel
from genre_model.learning.augmenting.rows import check_augmentation
from genre_model.learning.batches import RowIndex
from genre_model.networks import network_for
from genre_model.recipe import ModelSpec, Recipe
from genre_model.settings import make_recipe
from storage.places.address import parse_location
from storage.store import Store
from tasks.backbones.presets import find_preset
from tasks.labelled import LabelledFeatures, load_labelled

SEEDS, FOLDS, EPOCHS = 5, 5, 40
PARTS: Mapping[str, Mapping[str, object]] = {
    "crops": {"augmentation.crop_windows": 1},
    "gain": {"augmentation.gain": 6.0},
    "equaliser": {"augmentation.equaliser": 3.0},
    "masks": {"augmentation.time_masks": 2, "augmentation.band_masks": 2},
    "mixup": {"augmentation.mixup": 0.2},
    "smoothing": {"training.label_smoothing": 0.1},
    "adamw": {"training.optimiser": "adamw", "training.weight_decay": 0.01},
    "warm-up": {"training.warmup_epochs": 2},
    "clipping": {"training.clip_norm": 1.0},
    "class weights": {"training.class_weights": "balanced"},
    "average": {"training.ema": 0.99},
}
"""What the whole recipe has, by what its absence is called."""
WHOLE, DEFAULTS = "the whole recipe", "the defaults"

Parted = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Places of the rows that are learned from, that choose the epoch, and that are judged."""


def usable_parts(names: list[str], *, frontend: Frontend, network: str) -> list[str]:
    """Return the parts that a network on a frontend's rows can be trained with; say the others."""
    usable = []
    for name in names:
        try:
            spec = make_recipe(PARTS[name]).augmentation
            check_augmentation(spec, frontend=frontend, network=network)
        except InvalidSpec as error:
            say(f"without {name} in all lines: {error}")
        else:
            usable.append(name)
    return usable


def recipes(parts: list[str], *, network: str, epochs: int) -> dict[str, Recipe]:
    """Return the recipe of each line of the table, the whole one first."""
    base = {"model.network": network, "training.epochs": epochs}

    def of(names: list[str]) -> Recipe:
        settings = {key: value for name in names for key, value in PARTS[name].items()}
        return make_recipe({**base, **settings})

    without = {f"without {name}": of([each for each in parts if each != name]) for name in parts}
    return {WHOLE: of(parts), **without, DEFAULTS: of([])}


def parted(rows: pd.DataFrame, *, seed: int, folds: int) -> Iterator[Parted]:
    """Deal rows to folds by artist, and yield who learns, chooses and is judged, fold by fold."""
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    dealt = [places for _, places in splitter.split(rows, rows["label"], rows["artist"])]
    for number, judged in enumerate(dealt):
        choosing = dealt[(number + 1) % folds]
        learned = np.setdiff1d(np.arange(len(rows)), np.concatenate([judged, choosing]))
        yield learned, choosing, judged


def official(rows: pd.DataFrame) -> Iterator[Parted]:
    """Yield the catalogue's training split, and validation twice."""
    learned, chosen = (np.flatnonzero(rows["split"] == each) for each in ("training", "validation"))
    yield learned, chosen, chosen


def judged(
    data: LabelledFeatures, rows: pd.DataFrame, recipe: Recipe, *, seed: int, folds: int | None
) -> np.ndarray:
    """Train by a recipe with a seed, and return whose genre was right [0 or 1; NaN: not judged]."""
    from genre_model.learning.inference import predict_rows
    from genre_model.learning.training import train

    right = np.full(len(rows), np.nan)
    ways = official(rows) if folds is None else parted(rows, seed=seed, folds=folds)
    place_of = pd.Series(np.arange(len(rows)), index=rows["track_id"])
    read, size = data.features.read_shard, data.features.rows_per_shard
    for learned, choosing, held_out in ways:
        found = train(
            RowIndex.from_frame(rows.iloc[learned]),
            validation=RowIndex.from_frame(rows.iloc[choosing]),
            classes=len(data.genres),
            model=recipe.model,
            augmentation=recipe.augmentation,
            scale=data.spec.scale if isinstance(data.spec, LogMel) else None,
            spec=replace(recipe.training, seed=seed),
            read_shard=read,
            rows_per_shard=size,
        )
        index = RowIndex.from_frame(rows.iloc[held_out])
        predicted = predict_rows(found.model, index, read, rows_per_shard=size).tracks()
        hits = predicted.probabilities.argmax(axis=1) == predicted.labels
        right[place_of[predicted.track_ids].to_numpy()] = hits
    return right


def measure(
    data: LabelledFeatures,
    rows: pd.DataFrame,
    made: Mapping[str, Recipe],
    *,
    seeds: int,
    folds: int | None,
) -> dict[str, dict[str, list[float]]]:
    """Train every line with every seed, seed by seed, and give each line's figures."""
    right: dict[str, list[np.ndarray]] = {name: [] for name in made}
    for seed in range(seeds):
        for name, recipe in made.items():
            began = time.monotonic()
            right[name].append(judged(data, rows, recipe, seed=seed, folds=folds))
            share = np.nanmean(right[name][-1])
            say(f"seed {seed}, {name}: {share:.3f} ({time.monotonic() - began:.0f} s)")
    means = {name: np.mean(each, axis=0) for name, each in right.items()}
    is_judged = np.isfinite(means[WHOLE])
    about = rows[is_judged].reset_index(drop=True)
    renamed = {"to_first": "to_whole", "balanced_to_first": "balanced_to_whole"}
    lines = {}
    for name, each in means.items():
        found = figures(each[is_judged], about, means[WHOLE][is_judged])
        lines[name] = {renamed.get(key, key): value for key, value in found.items()}
        spread = np.std([np.nanmean(one) for one in right[name]], ddof=1) if seeds > 1 else 0.0
        lines[name]["spread_of_seeds"] = [round(float(spread), 3)]
    return lines


def made_set(folder: Path, *, level: float) -> Path:
    """Write the built-in set at a level, without its defects, and return its folder."""
    whole = plan_demo()
    plan = replace(whole, tracks=tuple(each for each in whole.tracks if each.defect is None))
    for track in plan.tracks:
        path = folder / track.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(render_track(track, level=level) or b"")
    tables = folder / "fma_metadata"
    tables.mkdir()
    (tables / "tracks.csv").write_text(tracks_csv(plan), encoding="utf-8")
    (tables / "genres.csv").write_text(genres_csv(plan), encoding="utf-8")
    say(f"{len(plan.tracks)} tracks of the built-in set at level {level:g}")
    return folder


def labelled(data: Path, store: str, *, preset: str, folder: Path) -> LabelledFeatures:
    """Make what features are missing by the command `genre features`, and open them."""
    command = ["features", "--data", str(data), "--store", store, "--preset", preset, "--json"]
    subprocess.run(
        [sys.executable, "-m", "flows.command.cli", *command],
        env={**os.environ, "PREFECT_HOME": str(folder / "prefect")},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    opened = Store.open(parse_location(store))
    return load_labelled(opened, find_preset(opened, preset))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    data = parser.add_mutually_exclusive_group(required=True)
    data.add_argument("--data", type=Path, help="data folder")
    data.add_argument("--made", type=float, metavar="LEVEL", help="a built-in set, as 3")
    parser.add_argument("--store", help="keeps the features; by default a temporary folder")
    parser.add_argument("--preset", default="default")
    parser.add_argument("--network", help="by default the usual one of the preset's rows")
    parser.add_argument("--part", action="append", choices=list(PARTS), help="only these; all")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--folds", type=int, default=FOLDS, help="three or more")
    parser.add_argument("--official", action="store_true", help="the catalogue's splits, no folds")
    parser.add_argument("--epochs", type=int, default=EPOCHS, help="three or more")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser.parse_args()


def _print(found: Mapping[str, object], lines: Mapping[str, Mapping[str, list[float]]]) -> None:
    print(f"{'':22}{'tracks right':>24}{'balanced':>24}{'to the whole recipe':>27}{'seeds':>8}")
    for name, line in lines.items():
        cells = ["{:.3f} ({:.3f} to {:.3f})".format(*line[key]) for key in ("accuracy", "balanced")]
        gain = "{:+.3f} ({:+.3f} to {:+.3f})".format(*line["to_whole"])
        spread = f"±{line['spread_of_seeds'][0]:.3f}"
        print(f"{name:22}{cells[0]:>24}{cells[1]:>24}{gain:>27}{spread:>8}")
    print(
        f"\n{found['network']} on {found['preset']}: {found['tracks']} tracks of "
        f"{found['artists']} artists, {found['seeds']} seeds, {found['parts']}; "
        f"{found['seconds']} s in all, on {found['device']}"
    )


def main() -> None:
    """Measure and print."""
    asked = _options()
    began = time.monotonic()
    folds = None if asked.official else asked.folds
    with workplace() as folder:
        store = asked.store or str(folder / "store")
        source = asked.data or made_set(folder / "made", level=asked.made)
        data = labelled(source, store, preset=asked.preset, folder=folder)
        network = asked.network or network_for(data.spec)
        parts = usable_parts(asked.part or list(PARTS), frontend=data.spec, network=network)
        rows = data.rows.assign(artist=data.artists_of(data.rows["track_id"].to_numpy(np.int64)))
        made = recipes(parts, network=ModelSpec(network=network).network, epochs=asked.epochs)
        lines = measure(data, rows, made, seeds=asked.seeds, folds=folds)
        from genre_model.learning.devices import training_device

        device = training_device()
    found: dict[str, object] = {
        "network": network,
        "preset": asked.preset,
        "tracks": len(rows),
        "artists": int(rows["artist"].nunique()),
        "seeds": asked.seeds,
        "parts": "the official split" if folds is None else f"{folds} folds by artist",
        "device": device,
        "seconds": round(time.monotonic() - began, 1),
    }
    if asked.json:
        print(json.dumps(found | {"recipes": lines}))
    else:
        _print(found, lines)


if __name__ == "__main__":
    main()
