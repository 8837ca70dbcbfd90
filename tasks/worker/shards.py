"""What a Dask worker does: decode one shard's tracks and write the shard, then its manifest.

Imports no Prefect, TensorFlow or librosa: workers need Dask, `genre_model` and `storage` only.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace

import numpy as np

from genre_model.frontends.frontend import Extractor
from genre_model.signal.status import Status
from genre_model.signal.versions import (
    FEATURE_LIBRARIES,
    decoder_version,
    library_versions,
)
from storage.array.feature_array import FeatureArray
from storage.array.layout import NO_TRACK, ROWS_PER_SHARD
from storage.array.manifests import RowRecord, ShardManifest
from storage.array.plans import AudioState, ShardWork
from storage.places.location import Location
from tasks.worker.audio_files import EncodedAudio, read_audio
from tasks.worker.decoder import Decoder
from tasks.worker.reporting import own_address, reporter

READ_AHEAD = 3


@dataclass(frozen=True, kw_only=True)
class ShardJob:
    """All that a worker needs for one shard.

    Attributes
    ----------
    features : FeatureArray
        The array's folder in the store.
    data : Location
        The data folder.
    work : ShardWork
        Rows to decode, to salvage and to leave out.
    extractor : Extractor
        Makes rows of clips.
    weights : tuple[Location, ...]
        The files that the extractor must be given; they are read once a worker.
    time_limit_s : float
        Seconds that one clip may take.
    topic : str
        Dask topic on which finished tracks are reported; empty for none.
    """

    features: FeatureArray
    data: Location
    work: ShardWork
    extractor: Extractor
    weights: tuple[Location, ...] = ()
    time_limit_s: float = 60.0
    topic: str = ""


@dataclass(frozen=True, kw_only=True)
class ShardOutcome:
    """What became of one shard.

    Attributes
    ----------
    shard : int
    statuses : Mapping[str, int]
        Status -> tracks.
    windows : int
        Whole windows written.
    remarks : tuple[str, ...]
        One sentence for each track that is not `ok`, for the log of the run.
    seconds : float
        From the first read to the manifest.
    worker : str
        Address of the Dask worker that wrote it, where that is known.
    """

    shard: int
    statuses: Mapping[str, int]
    windows: int
    remarks: tuple[str, ...]
    seconds: float
    worker: str = ""


def write_shard(job: ShardJob) -> ShardOutcome:
    """Decode the tracks of one shard, write it whole, then its manifest.

    Parameters
    ----------
    job : ShardJob

    Returns
    -------
    ShardOutcome

    Raises
    ------
    StorageError
        If the store or the data cannot be read or written; bad audio is a status instead.
    """
    began = time.monotonic()
    done = job.features.finished(job.work)
    if done is None:
        block = np.zeros(job.features.layout.shard_shape, np.float16)
        records = _decode_rows(job, block)
        done = job.features.write_shard(
            job.work,
            block,
            records,
            decoder=decoder_version(),
            versions=library_versions((*FEATURE_LIBRARIES, *job.extractor.spec.libraries)),
            seconds=time.monotonic() - began,
        )
    return _outcome(done, time.monotonic() - began, worker=own_address(job.topic))


def _decode_rows(job: ShardJob, block: np.ndarray) -> list[RowRecord]:
    decoder = _decoder(job)
    report = reporter(job.topic, job.work.shard)
    records: list[RowRecord] = []
    for row, state, audio in _audio_of(job):
        records.append(_decode_row(block[row % ROWS_PER_SHARD], row, state, audio, decoder))
        report(len(records))
    return records


def _decode_row(
    into: np.ndarray, row: int, state: AudioState, audio: EncodedAudio, decoder: Decoder
) -> RowRecord:
    size, etag = _as_read(state, audio)
    unread = RowRecord(
        row=row,
        track_id=state.track_id,
        path=state.path,
        size=size,
        etag=etag,
        sha256=audio.sha256 or "",
        status=str(audio.status),
        windows=0,
        detail=audio.detail,
    )
    if audio.content is None:
        return unread
    clip = decoder.decode(audio.content, into=into)
    decoded = replace(
        unread,
        status=str(clip.status),
        windows=clip.windows,
        detail=clip.detail,
        duration_s=round(clip.seconds, 3),
    )
    if clip.sound is None:
        return decoded
    rounded = {"level_db": round(clip.sound.level_db, 1), "file_s": round(clip.sound.file_s, 3)}
    return replace(decoded, **asdict(clip.sound) | rounded)


def _as_read(state: AudioState, audio: EncodedAudio) -> tuple[int | None, str | None]:
    """Return the size and etag of what was read, which may differ from what was listed before."""
    if audio.status is Status.MISSING:
        return None, None
    if audio.status is Status.UNREADABLE or audio.size == state.size:
        return state.size, state.etag
    return audio.size, None


def _audio_of(job: ShardJob) -> Iterator[tuple[int, AudioState, EncodedAudio]]:
    """Yield each row's encoded audio, reading a few files ahead of the decoder."""

    def read(state: AudioState) -> tuple[ExitStack, EncodedAudio]:
        stack = ExitStack()
        return stack, stack.enter_context(read_audio(job.data, state.path, size=state.size))

    rows = job.work.rows
    # of a bucket several at once, since most of the time of a GET is the way there and back
    at_once = READ_AHEAD if job.data.local_path is None else 1
    with ThreadPoolExecutor(at_once, thread_name_prefix="read-ahead") as reader:
        pending = [reader.submit(read, state) for _, state in rows[:READ_AHEAD]]
        for place, (row, state) in enumerate(rows):
            stack, audio = pending.pop(0).result()
            if place + READ_AHEAD < len(rows):
                pending.append(reader.submit(read, rows[place + READ_AHEAD][1]))
            with stack:
                yield row, state, audio


def _outcome(manifest: ShardManifest, seconds: float, *, worker: str) -> ShardOutcome:
    tracks = [record for record in manifest.rows if record.track_id != NO_TRACK]
    return ShardOutcome(
        shard=manifest.shard,
        statuses=dict(Counter(record.status for record in tracks)),
        windows=sum(record.windows for record in tracks),
        remarks=tuple(
            f"{record.path} is {record.status}{f': {record.detail}' if record.detail else ''}"
            for record in tracks
            if record.status != Status.OK
        ),
        seconds=seconds,
        worker=worker,
    )


@dataclass
class _Kept:
    """The decoder of this worker process, kept from shard to shard."""

    decoder: Decoder | None = None
    made_for: tuple[str, float] = field(default=("", 0.0))


_kept = _Kept()


def _decoder(job: ShardJob) -> Decoder:
    wanted = job.extractor.spec.digest(), job.time_limit_s
    if _kept.decoder is None or _kept.made_for != wanted:
        if _kept.decoder is not None:
            _kept.decoder.close()
        extractor = job.extractor.given([each.read_bytes() for each in job.weights])
        _kept.decoder = Decoder(extractor, time_limit_s=job.time_limit_s)
        _kept.made_for = wanted
    return _kept.decoder
