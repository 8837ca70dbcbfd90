"""What it costs to name a song's genre: ``python -m benchmarks.predict``.

First the command from its start to its answer, for a song and for a file that is not there, in
turn: CPU seconds of the whole process, median over the rounds, beside a Python that imports numpy.
Then songs in one process, clip by clip in turn with decoding them and no more: songs a CPU second,
one thread, and the median of the clips' own ratios. Last a folder of songs, cold: one process, and
``--workers`` of them, each in turn with a Python that decodes the same songs in as many processes
and does no more: seconds from start to end, CPU seconds of all processes. ``--model`` names a
model's folder; without it the network `default` is built and not trained, which costs the same.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.features import ONE_THREAD, REAL_MUSIC, decode_only, load_clips, measure
from genre_model.frontends import PRESETS, Frontend

GENRES = ("Blues", "Classical", "Electronic", "Folk", "Hip-Hop", "Jazz", "Pop", "Rock")
GENRE = (sys.executable, "-m", "flows.command.cli")
NUMPY = (sys.executable, "-c", "import numpy")
DECODE = """
import multiprocessing, pathlib, sys
import soundfile

def decode(path):
    return len(soundfile.read(path, dtype="float32")[0])

songs, workers = sorted(pathlib.Path(sys.argv[1]).iterdir()), int(sys.argv[2])
if workers == 1:
    print(sum(map(decode, songs)))
else:
    with multiprocessing.get_context("fork").Pool(workers) as pool:
        print(sum(pool.imap_unordered(decode, songs)))
        pool.close()
        pool.join()
"""


def untrained(
    folder: Path,
    *,
    network: str = "default",
    preset: str = "default",
    frontend: Frontend | None = None,
    weights: Sequence[Path] = (),
) -> Path:
    """Write a model's folder, in a process of its own: this one is to stay without TensorFlow.

    Its features are those of a preset, or of a backbone's `frontend` with its nets.
    """
    features = json.dumps((frontend or PRESETS[preset]).to_dict())
    program = f"""
import json, pathlib, sys
import keras, numpy as np, pandas as pd
from genre_model.frontends import frontend_from_dict
from genre_model.learning.saving import save_bundle
from genre_model.networks import build_network, is_pretrained
from genre_model.networks.statistics import InputStatistics
spec, genres = frontend_from_dict(json.loads(sys.argv[2])), {GENRES!r}
bands = spec.row_shape[1]
statistics = InputStatistics(np.full(bands, -35, "f4"), np.full(bands, 12, "f4"))
def drawn(picture):
    return keras.applications.EfficientNetV2B0(include_top=False, weights=None, pooling="avg",
                                               input_tensor=picture)
network = build_network({network!r}, input_shape=spec.row_shape[1:], classes=len(genres),
                        statistics=statistics, seed=0,
                        pretrained=drawn if is_pretrained({network!r}) else None)
# of weights that are all zero at first no difference would be seen
draw = np.random.default_rng(0).normal
network.layers[-1].set_weights([draw(0, 0.1, each.shape) for each in network.layers[-1].weights])
save_bundle(pathlib.Path(sys.argv[1]) / "model.keras", model=network, genres=genres, features=spec,
            history=pd.DataFrame({{"epoch": [1]}}), network={network!r}, details={{}},
            weights=[pathlib.Path(each).read_bytes() for each in sys.argv[3:]])
"""
    command = [sys.executable, "-c", program, str(folder), features, *map(str, weights)]
    subprocess.run(command, check=True, capture_output=True)
    return folder


def cold_starts(commands: dict[str, Sequence[str]], *, rounds: int) -> list[dict[str, object]]:
    """Return the median CPU seconds of each command, run in turn."""
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            before = _cpu_of_children()
            subprocess.run(command, check=False, capture_output=True)
            seconds[name].append(_cpu_of_children() - before)
    return [
        {"what": name, "cpu_s": round(statistics.median(each), 2)} for name, each in seconds.items()
    ]


def folders(model: Path, folder: Path, *, workers: int, rounds: int) -> list[dict[str, object]]:
    """Return what it costs to name the songs of a folder, and only to decode them, cold."""
    genre = (*GENRE, "predict", str(folder), "--json", "--model", str(model))
    commands = {
        "decode, 1 process": (sys.executable, "-c", DECODE, str(folder), "1"),
        "genre predict FOLDER": genre,
        f"decode, {workers} processes": (sys.executable, "-c", DECODE, str(folder), str(workers)),
        f"genre predict FOLDER --workers {workers}": (*genre, "--workers", str(workers)),
    }
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            began, before = time.monotonic(), _cpu_of_children()
            subprocess.run(command, check=True, capture_output=True)
            taken[name].append((time.monotonic() - began, _cpu_of_children() - before))
    songs, rows, bare = len(list(folder.iterdir())), [], 0.0
    for name, each in taken.items():
        wall_s, cpu_s = (statistics.median(column) for column in zip(*each, strict=True))
        if name.startswith("decode"):
            bare = wall_s
        rows.append(
            {
                **{"what": name, "songs": songs, "s": round(wall_s, 2), "cpu_s": round(cpu_s, 2)},
                **{"songs_a_second": round(songs / wall_s, 2), "ratio": round(bare / wall_s, 3)},
            }
        )
    return rows


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def songs(model: Path, clips: list[bytes], folder: Path) -> dict[str, float]:
    """Return songs a CPU second of one thread, and the ratio to decoding."""
    from genre_model.predict import load_model

    predictor = load_model(model)
    path = folder / "song"

    def predict(content: bytes) -> object:
        path.write_bytes(content)
        return predictor.predict(path)

    found = measure(clips, {"decode": decode_only, "predict": predict})
    pairs = zip(found["decode"], found["predict"], strict=True)
    return {
        "clips": len(clips),
        "decoded_a_second": round(1 / statistics.median(found["decode"]), 1),
        "predicted_a_second": round(1 / statistics.median(found["predict"]), 1),
        "ratio": round(statistics.median(bare / whole for bare, whole in pairs), 3),
    }


def main() -> None:
    """Measure and print."""
    if ONE_THREAD.items() - os.environ.items():
        # They are read when numpy is imported.
        os.execve(sys.executable, sys.orig_argv, {**os.environ, **ONE_THREAD})
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--data", type=Path, default=REAL_MUSIC if REAL_MUSIC.exists() else None)
    parser.add_argument("--clips", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--songs", type=int, default=100, help="of the folder, clips repeated")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    source, clips = load_clips(asked.data, count=asked.clips)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        model = asked.model or untrained(folder / "default-00000000")
        (folder / "song.mp3").write_bytes(clips[0])
        genre = (*GENRE, "predict", "--model", str(model))
        starts = cold_starts(
            {
                "python, import numpy": NUMPY,
                "genre predict song.mp3": (*genre, str(folder / "song.mp3")),
                "genre predict nosuch.mp3": (*genre, str(folder / "nosuch.mp3")),
            },
            rounds=asked.rounds,
        )
        rate = songs(model, clips, folder)
        many = folder / "many"
        many.mkdir()
        for number in range(asked.songs):
            (many / f"{number:04}.mp3").write_bytes(clips[number % len(clips)])
        rows = folders(model, many, workers=asked.workers, rounds=max(1, asked.rounds // 2))
    if asked.json:
        print(json.dumps({"clips": source, "starts": starts, "songs": rate, "folder": rows}))
        return
    for row in starts:
        print(f"{row['what']:26} {row['cpu_s']:6} s of CPU")
    print(
        f"{rate['clips']} clips of {source}: {rate['predicted_a_second']} songs a CPU second, "
        f"{rate['decoded_a_second']} only decoded; {rate['ratio']} of decoding"
    )
    for row in rows:
        print(
            f"{row['what']:34} {row['songs']} songs: {row['s']:7} s, {row['cpu_s']:7} s of CPU, "
            f"{row['songs_a_second']} songs a second, {row['ratio']} of decoding"
        )


if __name__ == "__main__":
    main()
