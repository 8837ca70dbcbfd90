"""An array of features with one row a track, in the order of a catalogue, for tests."""

from __future__ import annotations

import numpy as np
import pandas as pd

from genre_model.frontends import Frontend
from storage.array.layout import ROWS_PER_SHARD
from storage.array.manifests import RowRecord
from storage.array.plans import AudioState, ShardWork, plan_work
from storage.store import Store
from tasks.features import array_layout

DATA_SET = "made"


def write_rows(store: Store, spec: Frontend, catalogue: pd.DataFrame, rows: np.ndarray) -> None:
    """Write rows float16 [tracks, windows, ...], all of whose windows are whole.

    Parameters
    ----------
    catalogue : pd.DataFrame
        `track_id`, counted up from 1000, and `path`.
    """
    features = store.features.create(
        data_set=DATA_SET,
        name=spec.key,
        layout=array_layout(spec),
        attributes={"preset": spec.name, "spec": spec.to_dict()},
    )
    wanted = [
        AudioState(track_id, path, 1, "1")
        for track_id, path in zip(catalogue["track_id"], catalogue["path"], strict=True)
    ]
    plan = plan_work(features.inventory().known, wanted)
    features.prepare(plan)
    for work in plan.shards:
        records = [_record(row, state, rows.shape[1]) for row, state in work.rows]
        features.write_shard(work, _shard(work, rows), records)
    features.finalise(plan.required)


def _shard(work: ShardWork, rows: np.ndarray) -> np.ndarray:
    data = np.zeros((ROWS_PER_SHARD, *rows.shape[1:]), np.float16)
    for row, state in work.rows:
        data[row % ROWS_PER_SHARD] = rows[state.track_id - 1000]
    return data


def _record(row: int, state: AudioState, windows: int) -> RowRecord:
    return RowRecord(
        row=row,
        track_id=state.track_id,
        path=state.path,
        size=state.size,
        etag=state.etag,
        sha256=f"{state.track_id:064x}",
        status="ok",
        windows=windows,
    )
