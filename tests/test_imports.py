"""What imports what, where it costs: the command line, and the process that decodes."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from limits import COMMAND_S
from made_model import HIGH_HZ, made_model, tones
from made_nets import BANDS, FRAMES, mean_net
from signals import band_noise, encoded

from genre_model.frontends.backbone import Backbone, NetSpec
from genre_model.signal.filters import MelBank

TRAINING = ("tensorflow", "keras", "librosa", "numba", "prefect")
"""What no process that predicts imports, however it predicts."""
HEAVY = ("tensorflow", "keras", "librosa", "numba", "prefect", "dask", "zarr", "matplotlib")


def _imported_by(code: str, *, of: tuple[str, ...] = HEAVY) -> set[str]:
    """Return which of these a fresh interpreter has imported after `code`."""
    tail = f"\nimport json, sys; print(json.dumps([m for m in {of!r} if m in sys.modules]))"
    done = subprocess.run(
        [sys.executable, "-c", code + tail],
        capture_output=True,
        text=True,
        timeout=COMMAND_S,
        check=True,
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_the_packages_and_the_command_line_import_nothing_heavy() -> None:
    assert _imported_by("import flows, tasks, storage, genre_model") == set()
    assert _imported_by("import flows.command.cli") == set()


def test_options_are_made_for_the_command_line_without_what_flows_need_of_them() -> None:
    heavy = ("numpy", "pandas", "pydantic", "pydantic_core", "yaml", "rich", "fsspec")
    assert _imported_by("import flows.command.cli", of=heavy) == set()


def test_a_decode_worker_never_imports_tensorflow_or_prefect_or_librosa() -> None:
    worker = "import tasks.worker.shards, tasks.worker.decoder, tasks.worker.decoder_child"
    assert _imported_by(worker).isdisjoint(
        {"tensorflow", "keras", "librosa", "numba", "prefect", "matplotlib"}
    )


def test_a_worker_that_runs_a_backbone_never_imports_what_converts_or_trains(
    tmp_path: Path,
) -> None:
    content = mean_net()
    net = NetSpec(name="made", sha256=sha256(content).hexdigest(), output="embedding", values=5)
    spec = Backbone(name="made", patches="musicnn", frames=FRAMES, nets=(net,))
    bank = MelBank.of_matrix(np.full((BANDS, 257), 0.01, np.float32))
    extractor = spec.with_filters(bank).given([content])
    (tmp_path / "extractor").write_bytes(pickle.dumps(extractor))
    (tmp_path / "song.wav").write_bytes(encoded(band_noise(4.0), format="WAV"))
    run = f"""
import pathlib, pickle
extractor = pickle.loads(pathlib.Path({str(tmp_path / "extractor")!r}).read_bytes())
extractor.prepare()
assert extractor.windows({str(tmp_path / "song.wav")!r}).windows.shape == (1, 5)
import tasks.worker.decoder_child"""
    banned = ("tensorflow", "keras", "librosa", "numba", "prefect", "matplotlib", "sklearn")
    banned += ("onnx", "tf2onnx", "torch", "jax")
    worker = "import tasks.worker.shards, tasks.worker.songs, tasks.worker.disturbed" + run
    assert _imported_by(worker, of=banned) == set()
    assert _imported_by(run, of=(*banned, "dask", "zarr", "pandas")) == set()
    assert _imported_by(run, of=("onnxruntime",)) == {"onnxruntime"}


def test_the_child_that_decodes_imports_neither_zarr_nor_dask() -> None:
    assert _imported_by("import tasks.worker.decoder_child") == set()


_LOADED = """
from genre_model.predict import load_model
assert load_model("{model}").predict("{song}", overview=True).genre == "High"
"""
_CHILD = """
import pickle, threading
from multiprocessing import Pipe
from pathlib import Path
from tasks.worker import predicting_child
ours, theirs = Pipe()
threading.Thread(target=predicting_child.serve, args=[theirs], daemon=True).start()
ours.send_bytes(pickle.dumps(Path("{model}")))
assert ours.recv_bytes() == b"ready"
ours.send(("{song}", True))
assert ours.recv().genre == "High"
"""
_DASK_WORKER = """
from pathlib import Path
import distributed.nanny, distributed.worker
from tasks.worker.installed import installed
from tasks.worker.pickled_call import call, pickled
from tasks.worker.songs import Song, SongsJob, child_of, hear
installed()
job = SongsJob(model=Path("{model}"), songs=(Song.of("{song}"),))
assert [each.genre for each in call(pickled(hear, job))] == ["High"]
child_of(job.model).close()
"""
_COMMAND = """
from flows.command.cli import genre
genre.main(["predict", "{song}", "--model", "{model}", "--json"], standalone_mode=False)
"""
_SERVER = """
import os, signal, threading
from pathlib import Path
import httpx
from flows.command.cli import genre
from flows.serving import running

def ask(port):
    song = Path("{song}").read_bytes()
    found = httpx.post(f"http://127.0.0.1:{{port}}/predict", content=song, timeout=None)
    said.append(found.json()["genre"])
    os.kill(os.getpid(), signal.SIGINT)

def serve(served, at, *, ready):
    def asked():
        ready()
        threading.Thread(target=ask, args=[at.getsockname()[1]]).start()
    real(served, at, ready=asked)

said, real, running.serve = [], running.serve, serve
genre.main(["serve", "--model", "{model}", "--port", "0", "--workers", "1"], standalone_mode=False)
assert said == ["High"]
"""


@pytest.mark.parametrize(
    "code",
    [_LOADED, _CHILD, _DASK_WORKER, _COMMAND, _SERVER],
    ids=["load_model", "child", "Dask worker", "genre predict", "genre serve"],
)
def test_what_has_predicted_a_song_has_not_imported_what_trains(code: str, tmp_path: Path) -> None:
    model = made_model(tmp_path / "model")
    song = tones(tmp_path / "song.wav", (HIGH_HZ, 5))
    assert _imported_by(code.format(model=model, song=song), of=TRAINING) == set()
