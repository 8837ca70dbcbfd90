"""What a Dask worker does with one shard, called as the plain function that it is."""

from __future__ import annotations

import hashlib
import io
import os
import pickle
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from limits import STEP_S

from genre_model.frontends import preset
from genre_model.frontends.frontend import Extractor
from genre_model.mel import clip_windows
from storage.array.inventory import read_manifest
from storage.array.plans import AudioState, ShardWork
from storage.errors import Damaged, Refused
from storage.places.address import parse_location
from storage.store import Store
from tasks.features import array_layout
from tasks.worker import shards
from tasks.worker.shards import ShardJob, ShardOutcome, write_shard

SPEC = preset("notebook")


def tone(seconds: float, *, amplitude: float = 0.5, pitch_hz: float = 440.0) -> bytes:
    time_s = np.arange(int(seconds * 22_050)) / 22_050
    file = io.BytesIO()
    soundfile.write(file, amplitude * np.sin(2 * np.pi * pitch_hz * time_s), 22_050, format="WAV")
    return file.getvalue()


CLIPS = {
    2: tone(30.0),
    3: tone(30.0, pitch_hz=1_000.0),
    5: tone(8.0),
    10: tone(30.0, amplitude=1e-4),
    20: b"",
    26: b"this is no music\n" * 100,
    30: tone(1.0),
    46: bytes(44_100),
    48: tone(5.0, amplitude=0.0),
    134: None,
}
"""Track -> its file, None for one that is not there."""

STATUSES = {
    2: "ok",
    3: "ok",
    5: "partial",
    10: "quiet",
    20: "empty",
    26: "undecodable",
    30: "short",
    46: "undecodable",
    48: "silent",
    134: "missing",
}


@pytest.fixture(scope="module")
def extractor() -> Iterator[Extractor]:
    yield SPEC.build()
    if shards._kept.decoder is not None:
        shards._kept.decoder.close()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    for track_id, content in CLIPS.items():
        if content is not None:
            (folder / f"{track_id}.mp3").write_bytes(content)
    return folder


@pytest.fixture
def job(tmp_path: Path, data: Path, extractor: Extractor) -> ShardJob:
    return new_job(tmp_path / "store", data, extractor)


def new_job(store: Path, data: Path, extractor: Extractor) -> ShardJob:
    """Plan shard 1, whose first rows are of the tracks and whose next two no track needs."""
    features = Store.create(store).features.create(
        data_set="fma",
        name=SPEC.key,
        layout=array_layout(SPEC),
        attributes={"spec": SPEC.to_dict()},
    )
    entries = {entry.name: entry for entry in parse_location(data).list()}
    states = []
    for track_id in CLIPS:
        found = entries.get(f"{track_id}.mp3")
        size, etag = (found.size, found.etag) if found else (None, None)
        states.append(AudioState(track_id, f"{track_id}.mp3", size, etag))
    work = ShardWork(
        shard=1,
        rows=tuple(enumerate(states, start=64)),
        absent=(64 + len(states), 65 + len(states)),
    )
    return ShardJob(features=features, data=parse_location(data), work=work, extractor=extractor)


@dataclass(frozen=True)
class Written:
    """A shard that was written once for all tests which only read it."""

    job: ShardJob
    outcome: ShardOutcome


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory, data: Path, extractor: Extractor) -> Written:
    job = new_job(tmp_path_factory.mktemp("written") / "store", data, extractor)
    return Written(job, write_shard(job))


def shard_file(job: ShardJob) -> Path:
    folder = job.features.location.local_path
    assert folder is not None
    return folder / "log_mel" / "c" / "1" / "0" / "0" / "0"


def identity(job: ShardJob) -> list[tuple[int, int]]:
    folder = job.features.location.local_path
    assert folder is not None
    found = [path.stat() for path in (shard_file(job), folder / "manifests" / "000001.json")]
    return [(each.st_ino, each.st_mtime_ns) for each in found]


def test_every_track_has_its_status_and_the_outcome_counts_them(written: Written) -> None:
    manifest = read_manifest(written.job.features.location, 1)
    found = {record.track_id: record.status for record in manifest.rows if record.track_id >= 0}
    assert found == STATUSES
    assert written.outcome.shard == 1
    assert sum(written.outcome.statuses.values()) == len(STATUSES)
    assert written.outcome.statuses["ok"] == 2
    assert written.outcome.statuses["undecodable"] == 2
    assert written.outcome.windows == sum(record.windows for record in manifest.rows)


def test_every_track_that_is_not_ok_is_remarked_on(written: Written) -> None:
    remarked = [remark.split(".mp3 is ")[0] for remark in written.outcome.remarks]
    assert remarked == [str(track) for track, status in STATUSES.items() if status != "ok"]
    (empty,) = [remark for remark in written.outcome.remarks if "20.mp3" in remark]
    assert empty == "20.mp3 is empty: 20.mp3 has 0 bytes"


def test_records_tell_the_audio_and_rows_without_a_track_are_absent(written: Written) -> None:
    manifest = read_manifest(written.job.features.location, 1)
    states = dict(written.job.work.rows)
    for record in manifest.rows:
        if record.row in written.job.work.absent:
            assert (record.status, record.track_id, record.windows) == ("absent", -1, 0)
            continue
        state, content = states[record.row], CLIPS[record.track_id]
        assert (record.path, record.size, record.etag) == (state.path, state.size, state.etag)
        sha256 = hashlib.sha256(content).hexdigest() if content is not None else ""
        assert record.sha256 == sha256
    lengths = {record.track_id: record.duration_s for record in manifest.rows}
    assert lengths[2] == pytest.approx(30.0, abs=0.01)
    assert lengths[5] == pytest.approx(8.0, abs=0.01)
    assert {each.track_id: each.file_s for each in manifest.rows if each.sample_rate} == {
        track: length for track, length in lengths.items() if length
    }
    heard = {each.track_id: (each.sample_rate, each.channels) for each in manifest.rows}
    assert {heard[track] for track in (2, 3, 5, 10, 30, 48)} == {(22_050, 1)}
    assert {heard[track] for track in (-1, 20, 26, 134)} == {(None, None)}
    levels = {record.track_id: record.level_db for record in manifest.rows}
    assert (levels[2], levels[48], levels[134]) == (pytest.approx(-9.0, abs=0.2), -300, None)
    assert levels[10] == pytest.approx(-83.0, abs=1.0)  # three steps of 16 bits
    assert manifest.decoder
    assert manifest.versions


def test_windows_are_those_of_the_pure_function_and_all_else_is_zero(written: Written) -> None:
    block = written.job.features.read_shard(1)
    assert block.shape == (64, *SPEC.row_shape)
    for row, state in written.job.work.rows:
        content = CLIPS[state.track_id]
        clip = clip_windows(content, preset="notebook") if content else None
        count = 0 if clip is None or clip.windows is None else len(clip.windows)
        if clip is not None and clip.windows is not None:
            np.testing.assert_array_equal(block[row % 64, :count], clip.windows)
        assert not block[row % 64, count:].any()
    assert not block[len(CLIPS) :].any()


def test_a_second_call_finds_the_work_done(written: Written) -> None:
    before = identity(written.job)
    again = write_shard(written.job)
    assert identity(written.job) == before
    assert (again.statuses, again.windows, again.remarks) == (
        written.outcome.statuses,
        written.outcome.windows,
        written.outcome.remarks,
    )


def test_a_job_that_travelled_writes_the_same_bytes(job: ShardJob, written: Written) -> None:
    write_shard(pickle.loads(pickle.dumps(job)))
    assert shard_file(job).read_bytes() == shard_file(written.job).read_bytes()
    manifest, expected = (read_manifest(each.features.location, 1) for each in (job, written.job))
    assert replace(manifest, seconds=0.0) == replace(expected, seconds=0.0)


def test_a_truncated_shard_is_written_again(job: ShardJob, written: Written) -> None:
    write_shard(job)
    path = shard_file(job)
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(Damaged, match="is damaged"):
        job.features.read_shard(1)
    write_shard(job)
    assert path.read_bytes() == shard_file(written.job).read_bytes()


def test_a_shard_of_refused_tracks_has_a_manifest_and_no_bytes(job: ShardJob) -> None:
    refused = [line for line in job.work.rows if STATUSES[line[1].track_id] in ("empty", "missing")]
    work = ShardWork(shard=1, rows=tuple(refused))
    outcome = write_shard(replace(job, work=work))
    assert (outcome.windows, dict(outcome.statuses)) == (0, {"empty": 1, "missing": 1})
    assert not shard_file(job).exists()
    assert not job.features.read_shard(1).any()


def test_audio_that_went_since_the_plan_is_missing(job: ShardJob) -> None:
    gone = AudioState(2, "gone.mp3", 1_000, "1")
    outcome = write_shard(replace(job, work=ShardWork(shard=1, rows=((64, gone),))))
    assert outcome.remarks == ("gone.mp3 is missing: gone.mp3 is not there any more",)


def test_audio_that_grew_since_it_was_listed_is_recorded_as_it_was_read(
    job: ShardJob, tmp_path: Path
) -> None:
    folder = job.data.local_path
    assert folder is not None
    grown = tmp_path / "grown"
    shutil.copytree(folder, grown)
    row, state = next(each for each in job.work.rows if each[1].size)
    content = (grown / state.path).read_bytes() + b"\0" * 1_000
    (grown / state.path).write_bytes(content)
    write_shard(replace(job, data=parse_location(grown)))
    manifest = read_manifest(job.features.location, job.work.shard)
    (record,) = [each for each in manifest.rows if each.row == row]
    assert (record.size, record.etag) == (len(content), None)
    assert record.sha256 == hashlib.sha256(content).hexdigest()


@pytest.mark.skipif(os.geteuid() == 0, reason="an administrator may read and write everything")
def test_a_store_that_may_not_be_written_is_an_error_and_no_status(job: ShardJob) -> None:
    folder = job.features.location.local_path
    assert folder is not None
    folder.chmod(0o500)
    with pytest.raises(Refused, match="permissions"):
        write_shard(job)
    folder.chmod(0o700)


def test_workers_report_how_many_tracks_are_done(job: ShardJob) -> None:
    from distributed import Client

    told: list[dict[str, int]] = []
    arrived = threading.Event()

    def take(event: tuple[float, dict[str, int]]) -> None:
        told.append(event[1])
        arrived.set()

    quick = {"processes": False, "n_workers": 1, "threads_per_worker": 1}
    with Client(**quick, dashboard_address=":0") as client:
        client.subscribe_topic("progress", take)
        client.submit(write_shard, replace(job, topic="progress")).result(timeout=STEP_S)
        assert arrived.wait(STEP_S)
    assert {each["part"] for each in told} == {1}
    assert all(1 <= each["done"] <= len(CLIPS) for each in told)
