"""A net that fails on a track costs that track; one that does not open is one sentence."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from aborting_net import AbortingExtractor
from made_model import made_filters, made_model
from made_nets import BANDS, FRAMES, failing_net
from signals import band_noise, encoded

from genre_model.errors import ModelError
from genre_model.frontends.backbone import Backbone, NetSpec
from genre_model.signal.status import Status
from storage.array.plans import AudioState, ShardWork
from storage.places.address import parse_location
from storage.store import Store
from tasks.features import array_attributes, array_layout
from tasks.worker import shards
from tasks.worker.child import Child
from tasks.worker.decoder import Decoder
from tasks.worker.predicting import PredictingChild
from tasks.worker.shards import ShardJob, write_shard

LOUD = band_noise(8.0)
SOFT = LOUD * 0.003
SAYS = r"the backbone 'odd': the net fails on a patch: .*Non-zero status code"


def frontend_of(content: bytes) -> Backbone:
    digest = sha256(content).hexdigest()
    net = NetSpec(name="odd", sha256=digest, output="embedding", values=BANDS)
    return Backbone(name="odd", patches="musicnn", frames=FRAMES, nets=(net,))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    for number, samples in enumerate((SOFT, LOUD, SOFT)):
        (folder / f"{number}.wav").write_bytes(encoded(samples, format="WAV"))
    return folder


@pytest.fixture(autouse=True)
def _own_decoder(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Keep no decoder of another test."""
    kept = shards._Kept()
    monkeypatch.setattr(shards, "_kept", kept)
    yield
    if kept.decoder is not None:
        kept.decoder.close()


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Child]:
    """List the children that are started."""
    children: list[Child] = []
    start = Child._start
    monkeypatch.setattr(Child, "_start", lambda self: (children.append(self), start(self))[1])
    return children


def job_of(content: bytes, tmp_path: Path, data: Path) -> ShardJob:
    spec, weights = frontend_of(content), tmp_path / "odd.onnx"
    weights.write_bytes(content)
    features = Store.create(tmp_path / "store").features.create(
        data_set="made", name=spec.key, layout=array_layout(spec), attributes=array_attributes(spec)
    )
    rows = tuple((row, AudioState(row, f"{row}.wav", 1, None)) for row in range(3))
    return ShardJob(
        features=features,
        data=parse_location(str(data)),
        work=ShardWork(shard=0, rows=rows, absent=()),
        extractor=spec.with_filters(made_filters(spec.mel)),
        weights=(parse_location(str(weights)),),
    )


@pytest.mark.parametrize("how", ["index", "memory"])
def test_a_net_that_fails_on_a_track_costs_that_track(
    tmp_path: Path, data: Path, started: list[Child], how: str
) -> None:
    job = job_of(failing_net(how), tmp_path, data)
    assert write_shard(job).statuses == {"partial": 2, "crashed": 1}
    manifest = job.features.finished(job.work)
    assert manifest is not None
    _, bad, _ = manifest.rows
    assert (bad.track_id, bad.windows) == (1, 0)
    assert re.match(SAYS, bad.detail)
    assert [bool(np.any(row)) for row in job.features.read_shard(0)[:3]] == [True, False, True]
    assert len(started) == 1


def test_a_net_that_takes_its_process_down_costs_that_track(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]), prepend=os.pathsep)
    job = job_of(failing_net("index"), tmp_path, data)
    spec = frontend_of(failing_net("index"))
    job = replace(job, extractor=AbortingExtractor(spec, made_filters(spec.mel)))
    assert write_shard(job).statuses == {"partial": 2, "crashed": 1}
    manifest = job.features.finished(job.work)
    assert manifest is not None
    assert manifest.rows[1].detail == "the decoder died (signal 6)"


def test_a_net_that_does_not_open_ends_the_shard_in_a_sentence(
    tmp_path: Path, data: Path, started: list[Child]
) -> None:
    job = job_of(b"no net", tmp_path, data)
    with pytest.raises(ModelError, match=r"^the net 'odd' does not open: it is no ONNX file"):
        write_shard(job)
    assert job.features.finished(job.work) is None
    assert len(started) == 1


def test_a_net_of_other_values_is_found_out_before_a_track_is(data: Path) -> None:
    content = failing_net("index")
    spec = frontend_of(content)
    (net,) = spec.nets
    other = Backbone(
        name="odd",
        patches="musicnn",
        frames=FRAMES,
        nets=(NetSpec(name="odd", sha256=net.sha256, output="embedding", values=7),),
    )
    extractor = other.with_filters(made_filters(other.mel)).given([content])
    row = np.zeros(other.row_shape, np.float16)
    with (
        Decoder(extractor) as decoder,
        pytest.raises(ModelError, match=r"'odd' does not fit: it gives 96 values of 187 frames x"),
    ):
        decoder.decode(data / "0.wav", into=row)


def test_a_song_on_which_a_net_fails_is_a_line(
    tmp_path: Path, data: Path, started: list[Child]
) -> None:
    content = failing_net("index")
    folder = made_model(tmp_path / "model", features=frontend_of(content), nets=(content,))
    with PredictingChild(folder) as child:
        found = [child.predict(data / f"{number}.wav") for number in range(3)]
        disturbed = child.disturbed(data / "1.wav", seed=0)
    assert [each.status for each in found] == [Status.PARTIAL, Status.CRASHED, Status.PARTIAL]
    assert [each.genre is None for each in found] == [False, True, False]
    assert "the backbone 'odd': the net fails on a patch" in found[1].detail
    assert getattr(disturbed, "status", None) is Status.CRASHED
    assert len(started) == 1


def test_a_models_net_that_does_not_open_is_its_own_sentence(tmp_path: Path, data: Path) -> None:
    content = b"no net"
    folder = made_model(tmp_path / "model", features=frontend_of(content), nets=(content,))
    with (
        PredictingChild(folder) as child,
        pytest.raises(ModelError, match="the net 'odd' does not open: it is no ONNX file"),
    ):
        child.predict(data / "0.wav")
