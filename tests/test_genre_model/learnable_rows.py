"""Rows of features whose genre can be learned from a few of them, for tests that train."""

import numpy as np

from genre_model.learning.batches import RowIndex

GENRES = ("Blues", "Folk", "Jazz", "Rock")
WINDOWS, BANDS, FRAMES = 3, 12, 16
ROWS_PER_SHARD = 16


def learnable_rows(tracks: int, *, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return rows float16 [tracks, windows, bands, frames] in dB, and their labels.

    Each genre lifts bands of its own by 6 dB over noise of 10 dB: one value tells nothing, a
    window a good deal.
    """
    generator = np.random.default_rng(seed)
    labels = np.arange(tracks, dtype=np.int32) % len(GENRES)
    rows = generator.normal(-40, 10, (tracks, WINDOWS, BANDS, FRAMES))
    for label in range(len(GENRES)):
        rows[labels == label, :, 3 * label : 3 * label + 3] += 6
    return rows.astype(np.float16), labels


def reader(rows: np.ndarray):  # noqa: ANN201
    """Serve rows as shards, the last one filled up with zeros as an array's is."""
    short = -len(rows) % ROWS_PER_SHARD
    whole = np.concatenate([rows, np.zeros((short, *rows.shape[1:]), rows.dtype)])
    return lambda shard: whole[shard * ROWS_PER_SHARD : (shard + 1) * ROWS_PER_SHARD]


def index_of(labels: np.ndarray, places: np.ndarray) -> RowIndex:
    """Index some rows, all of whose windows are whole."""
    return RowIndex(
        rows=np.asarray(places, np.int64),
        labels=labels[places],
        windows=np.full(len(places), WINDOWS),
        track_ids=1000 + np.asarray(places, np.int64),
    )
