"""A small feature stage on made-up audio, for tests: plan, write each shard, finalise.

Run as a script it is a process that can be killed: `feature_runs.py STORE SEED TRACKS PAUSE_S`.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256

import numpy as np

from storage.array.feature_array import FeatureArray, Finalised
from storage.array.layout import ROWS_PER_SHARD, ArrayLayout
from storage.array.manifests import RowRecord, ShardManifest
from storage.array.plans import AudioState, ShardWork, WorkPlan, plan_work, tracks_to_hash
from storage.array.shards import Block
from storage.store import Store

ROW_SHAPE = (3, 4, 5)
LAYOUT = ArrayLayout(array="log_mel", dimensions=("window", "band", "frame"), row_shape=ROW_SHAPE)
NAME = "default-0123abcd"


@dataclass
class Audio:
    """Made-up audio: what a file holds and when it was written; None where it is missing.

    Content 0 is bad audio, anything else decodes to noise of that seed.
    """

    files: Mapping[int, tuple[int, int] | None] = field(default_factory=dict)

    def wanted(self) -> list[AudioState]:
        """List the states as a listing of the data folder would."""
        return [self._state(track) for track in sorted(self.files)]

    def _state(self, track: int) -> AudioState:
        file = self.files[track]
        size, etag = (None, None) if file is None else (1000, f"{file[1]}")
        return AudioState(track, f"fma_small/{track:06d}.mp3", size, etag)

    def digest(self, track: int) -> str:
        """Hash a file."""
        file = self.files[track]
        return sha256(f"{track} {file[0]}".encode()).hexdigest() if file else ""

    def decode(self, track: int) -> Block | None:
        """Decode a file to [windows, bands, frames], None if it is bad."""
        file = self.files[track]
        if file is None or file[0] == 0:
            return None
        noise = np.random.default_rng([track, file[0]]).normal(-40, 20, ROW_SHAPE)
        return noise.astype(np.float16)


def library(count: int, *, first: int = 0, content: int = 1) -> Audio:
    """Make `count` files, every ninth bad, every eleventh missing."""
    files: dict[int, tuple[int, int] | None] = {}
    for track in range(first, first + count):
        files[track] = None if track % 11 == 7 else (0 if track % 9 == 4 else content, 1)
    return Audio(files)


def open_array(store: Store) -> FeatureArray:
    """Make or open the array that these runs write."""
    return store.features.create(
        data_set="fma",
        name=NAME,
        layout=LAYOUT,
        attributes={"preset": "default", "spec": {"n_fft": 1024}},
    )


def plan(features: FeatureArray, audio: Audio, *, retry: bool = False) -> WorkPlan:
    """Survey, hash what is in doubt, and plan."""
    known = features.inventory().known
    asked = tracks_to_hash(known, audio.wanted())
    hashes = {state.track_id: audio.digest(state.track_id) for state in asked}
    return plan_work(known, audio.wanted(), hashes=hashes, retry_quarantined=retry)


def build(work: ShardWork, audio: Audio) -> tuple[Block, list[RowRecord]]:
    """Decode the rows of one shard."""
    data = np.zeros((ROWS_PER_SHARD, *ROW_SHAPE), np.float16)
    records = []
    for row, state in work.rows:
        values = audio.decode(state.track_id)
        if values is not None:
            data[row % ROWS_PER_SHARD] = values
        missing = state.size is None
        records.append(
            RowRecord(
                row=row,
                track_id=state.track_id,
                path=state.path,
                size=state.size,
                etag=state.etag,
                sha256=audio.digest(state.track_id),
                status="ok" if values is not None else "missing" if missing else "undecodable",
                windows=ROW_SHAPE[0] if values is not None else 0,
                detail="" if values is not None else "no audio",
                sample_rate=44_100 if values is not None else None,
                channels=2 if values is not None else None,
                level_db=-0.1 * state.track_id if values is not None else None,
                file_s=240.5 if values is not None else None,
            )
        )
    return data, records


def write(features: FeatureArray, work: ShardWork, audio: Audio) -> ShardManifest:
    """Do one task's work."""
    data, records = build(work, audio)
    return features.write_shard(
        work, data, records, decoder="made up 1.0", versions={"numpy": "2"}, seconds=time.time()
    )


def run(
    features: FeatureArray,
    audio: Audio,
    *,
    retry: bool = False,
    stop_after: int | None = None,
    on_shard: Callable[[int], None] = lambda _shard: None,
) -> tuple[WorkPlan, Finalised | None]:
    """Run the whole stage; `stop_after` shards it ends as if killed."""
    made = plan(features, audio, retry=retry)
    features.prepare(made)
    for number, work in enumerate(made.shards):
        if number == stop_after:
            return made, None
        on_shard(work.shard)
        write(features, work, audio)
    return made, features.finalise(made.required, refresh=made.refresh)


if __name__ == "__main__":
    place, tracks, pause_s = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])

    def announce(shard: int) -> None:
        """Tell the parent, and give it time to kill."""
        print(shard, flush=True)  # noqa: T201
        time.sleep(pause_s)

    array = open_array(Store.create(place))
    array.sweep()
    run(array, library(tracks), on_shard=announce)
    print("done", flush=True)  # noqa: T201
