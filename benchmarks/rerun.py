"""A store in which everything is done, made up, and how long `genre run` takes to find that out.

Of the shards and of the model there is only what tells that they are done: manifests, tables,
params.json, metrics. A server runs meanwhile, since its start is not what is measured.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.clips import make_empty_files, write_tracks_csv
from benchmarks.scale import pretend
from genre_model.judging.evaluation import WindowPredictions, evaluate
from genre_model.judging.leaks import KINDS, Leaks
from tasks.evaluated.metrics_file import Evaluation

SUBSET = "small"
LIMIT_S = 20.0
_START_LIMIT_S = 180.0


def measure(folder: Path, *, tracks: int, times: int = 2) -> dict[str, Any]:
    """Run `genre run` on a made store, and return what it took.

    Returns
    -------
    dict
        `tracks`; `seconds` (the shortest, of the whole command: interpreter, imports, flow),
        `flow_seconds` (of it, the flow), `limit_s`.
    """
    data, store = folder / "rerun-data", folder / "rerun-store"
    done_store(data, store, tracks=tracks)
    with _server(folder / "rerun-prefect") as api:
        runs = [_run(data, store, api=api, tracks=tracks) for _ in range(times)]
    seconds, flow_seconds = min(runs)
    return {
        "tracks": tracks,
        "seconds": round(seconds, 2),
        "flow_seconds": flow_seconds,
        "limit_s": LIMIT_S,
    }


def done_store(data: Path, store: Path, *, tracks: int) -> None:
    """Make a data folder of empty files, and a store in which they are done and a model trained."""
    from genre_model.frontends import preset
    from genre_model.recipe import ModelSpec, TrainSpec
    from storage.places.address import parse_location
    from storage.store import Store
    from tasks.catalogue import find_catalogue, store_catalogue
    from tasks.features import finalise_features, prepare_features
    from tasks.labelled import load_labelled
    from tasks.training import identify_model

    ids = range(1, tracks + 1)
    make_empty_files(data, ids, subset=SUBSET)
    write_tracks_csv(data, ids, subset=SUBSET)
    root, spec = Store.create(store), preset("default")
    found = find_catalogue.fn(parse_location(data))
    catalogue = store_catalogue.fn(root, found)
    work = prepare_features.fn(root, found, spec)
    for shard in work.plan.shards:
        pretend(work.features, shard)
    finalise_features.fn(work)
    labelled = load_labelled(root, spec, catalogue_id=catalogue)
    name = identify_model(labelled, ModelSpec(), TrainSpec())
    _pretend_model(store / "models" / name, name, spec=spec.to_dict(), catalogue=catalogue)


def _pretend_model(folder: Path, name: str, *, spec: dict[str, Any], catalogue: str) -> None:
    params = {
        "id": name,
        "network": "default",
        "parameters": 1,
        "epochs": 1,
        "best_epoch": 1,
        "catalogue": catalogue,
        "device": "CPU",
        "validation_track_accuracy": 0.5,
        "validation_window_accuracy": 0.5,
        "stall_share": 0.0,
        "features": spec,
        "seed": 0,
        "trained": "2026-01-01T00:00:00+00:00",
    }
    one = WindowPredictions(np.ones((10, 1)), np.zeros(10, np.int64), np.zeros(10, np.int64))
    metrics = evaluate(one, genres=("Rock",), training_labels=np.zeros(1, np.int64))
    leaks = Leaks(counts=dict.fromkeys(KINDS, 0))
    made_up = Evaluation(model=name, split="test", metrics=metrics, leaks=leaks)
    evaluation = folder / "evaluation" / "test"
    evaluation.mkdir(parents=True)
    (evaluation / "report.md").write_text("# Made up\n")
    (evaluation / "metrics.json").write_text(json.dumps(made_up.to_dict()))
    (folder / "params.json").write_text(json.dumps(params))
    (folder / "model.keras").write_bytes(b"-")


def _run(data: Path, store: Path, *, api: str, tracks: int) -> tuple[float, float]:
    """Run the command, check that it found all done, and return its seconds and the flow's."""
    arguments = ["run", "--data", str(data), "--store", str(store), "--json"]
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "flows.command.cli", *arguments],
        env={**os.environ, "PREFECT_API_URL": api},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    seconds = time.monotonic() - began
    result = json.loads(done.stdout)
    if result["features"]["reused"] != tracks or not result["model"]["reused"]:
        raise RuntimeError(f"not all of {tracks} tracks were found done: {result}")
    return seconds, float(result["seconds"])


@contextmanager
def _server(home: Path) -> Iterator[str]:
    """Run a Prefect server of the benchmark's own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    home.mkdir()
    command = ["server", "start", "--no-ui", "--host", "127.0.0.1", "--port", str(port)]
    process = subprocess.Popen(
        [sys.executable, "-m", "prefect", *command],
        env={**os.environ, "PREFECT_HOME": str(home), "PREFECT_SERVER_ANALYTICS_ENABLED": "false"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        api = f"http://127.0.0.1:{port}/api"
        _wait_for(f"{api}/health")
        yield api
    finally:
        process.kill()
        process.wait()


def _wait_for(url: str) -> None:
    deadline = time.monotonic() + _START_LIMIT_S
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except OSError as error:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{url} did not answer within {_START_LIMIT_S:.0f} s") from error
            time.sleep(0.5)
        else:
            return
