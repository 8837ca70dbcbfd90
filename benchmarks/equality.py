"""Is a song named alike everywhere? ``python -m benchmarks.equality``.

Every network, with weights that were drawn (also those of `imagenet`), and with ``--store STORE
--backbones NAME …`` the networks that take a backbone's rows, on each of these: the probabilities
of real songs by `model.keras` in Keras, by `model.onnx` as `genre predict` runs it, and by the
script and the single file of `genre models export`. Told are the largest differences to Keras's
over songs and genres.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import soundfile
import soxr

from benchmarks.features import REAL_MUSIC, load_clips
from benchmarks.predict import untrained
from genre_model.exported.single_file import SONG_FILE
from genre_model.exported.single_file.song import PROBABILITIES, SAMPLES
from genre_model.frontends import Frontend
from genre_model.networks import NETWORKS
from genre_model.portable.session import open_session
from genre_model.predict import Predictor, load_model
from storage.store import Store
from tasks.backbones.presets import find_preset, weights_of

PRESETS = {"notebook": "notebook", "dong": "notebook", "linear": "mfcc", "mlp": "mfcc"}
"""Network -> preset whose rows it is built for; `default` for the others."""


def by_keras(model: Path, predictor: Predictor, songs: list[Path]) -> np.ndarray:
    """Return [songs, genres] by Keras, of the windows that the product cuts."""
    import keras

    from genre_model.learning.inference import window_probabilities

    network = keras.saving.load_model(model / "model.keras", compile=False, safe_mode=True)
    found = []
    for song in songs:
        windows = [each for _, each in predictor.extractor.long_windows(song)]
        found.append(window_probabilities(network, np.concatenate(windows)).mean(axis=0))
    return np.stack(found)


def in_order(said: Mapping[str, float], genres: tuple[str, ...]) -> list[float]:
    """Return a song's probabilities in the order of the genres."""
    return [said[genre] for genre in genres]


def by_script(model: Path, to: Path, songs: list[Path], genres: tuple[str, ...]) -> np.ndarray:
    """Return [songs, genres] by the exported script, in a process that finds none of us."""
    genre = (sys.executable, "-m", "flows.command.cli", "models", "export")
    export = [*genre, str(model), "--to", str(to), "--single-file"]
    subprocess.run(export, check=True, capture_output=True)
    said = json.loads(
        subprocess.check_output(
            [sys.executable, "-P", to / "predict.py", *songs], cwd=to, env={"PATH": os.defpath}
        )
    )
    return np.array([in_order(said[str(song)], genres) for song in songs])


def by_single_file(exported: Path, songs: list[Path]) -> np.ndarray:
    """Return [songs, genres] by the one ONNX file, of samples that were decoded as docs tell."""
    session = open_session((exported / SONG_FILE).read_bytes())
    wanted = json.loads(session.get_modelmeta().custom_metadata_map["sample_rate"])
    found = []
    for song in songs:
        samples, rate = soundfile.read(song, dtype="float32", always_2d=True)
        mono = soxr.resample(samples.mean(axis=1), rate, wanted, quality="HQ")
        found += session.run([PROBABILITIES], {SAMPLES: mono})
    return np.stack(found)


def backbone_of(store: Store, name: str) -> tuple[Frontend, list[Path]]:
    """Return a backbone's frontend, and the files of its nets, of a store on this machine."""
    frontend = find_preset(store, name)
    paths = [place.local_path for place in weights_of(store, frontend)]
    return frontend, [path for path in paths if path is not None]


def compared(
    network: str, songs: list[Path], folder: Path, *, backbone: str = "", store: Store | None = None
) -> dict[str, object]:
    """Compare the four ways for one network, on its preset or on a backbone of a store."""
    preset = backbone or PRESETS.get(network, "default")
    frontend, weights = backbone_of(store, backbone) if store and backbone else (None, [])
    name = f"{network}-{preset}"
    model = untrained(
        folder / name,
        network=network,
        preset=preset,
        frontend=frontend,
        weights=weights,
    )
    predictor = load_model(model)
    genres = predictor.bundle.genres
    keras = by_keras(model, predictor, songs)
    onnx = np.array([in_order(predictor.predict(song).probabilities, genres) for song in songs])
    exported = folder / f"{name}-exported"
    script = by_script(model, exported, songs, genres)
    single = by_single_file(exported, songs)
    return {
        "network": network,
        "preset": preset,
        "onnx": float(np.abs(onnx - keras).max()),
        "script": float(np.abs(script - keras).max()),
        "single": float(np.abs(single - keras).max()),
        "spread": float(np.ptp(keras, axis=0).max()),
    }


def main() -> None:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=REAL_MUSIC if REAL_MUSIC.exists() else None)
    parser.add_argument("--clips", type=int, default=5)
    parser.add_argument("--networks", nargs="*", default=list(NETWORKS))
    parser.add_argument("--store")
    parser.add_argument("--backbones", nargs="*", default=[], help="names of the store's")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    source, clips = load_clips(asked.data, count=asked.clips)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        songs = [folder / f"{number}.mp3" for number in range(len(clips))]
        for song, content in zip(songs, clips, strict=True):
            song.write_bytes(content)
        rows = [compared(network, songs, folder) for network in asked.networks]
        store = Store.open(asked.store) if asked.store else None
        rows += [
            compared(network, songs, folder, backbone=backbone, store=store)
            for backbone in asked.backbones
            for network in ("linear", "mlp")
        ]
    if asked.json:
        print(json.dumps({"clips": source, "networks": rows}))
        return
    print(f"{len(clips)} clips of {source}; largest difference of a probability to Keras's")
    print(
        f"{'network':10} {'preset':14} {'model.onnx':>11} {'exported':>11} "
        f"{'one file':>11} {'songs differ by':>16}"
    )
    for row in rows:
        print(
            f"{row['network']:10} {row['preset']:14} {row['onnx']:11.1e} {row['script']:11.1e} "
            f"{row['single']:11.1e} {row['spread']:16.1e}"
        )


if __name__ == "__main__":
    main()
