"""Windows to probabilities with a trained network: for validation, evaluation and prediction."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import numpy as np

from genre_model.errors import InvalidSpec, ModelError
from genre_model.judging.evaluation import WindowPredictions
from genre_model.learning.batches import ReadShard, RowIndex, window_blocks
from genre_model.learning.read_ahead import Waiting

if TYPE_CHECKING:
    import keras

BATCH = 128


def softmax(logits: np.ndarray) -> np.ndarray:
    """Turn logits into probabilities.

    Parameters
    ----------
    logits : np.ndarray [shape=(n, classes), float]

    Returns
    -------
    np.ndarray [shape=(n, classes), float32, each row sums to 1]
    """
    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    powers: np.ndarray = np.exp(shifted)
    shares: np.ndarray = powers / powers.sum(axis=1, keepdims=True)
    return shares.astype(np.float32)


def window_probabilities(network: keras.Model, windows: np.ndarray) -> np.ndarray:
    """Give each window's probability of each genre.

    Parameters
    ----------
    network : keras.Model
        Raw features to logits.
    windows : np.ndarray [shape=(n, ...), float16]
        n may be 0.

    Returns
    -------
    np.ndarray [shape=(n, classes), float32, each row sums to 1]

    Raises
    ------
    ModelError
        If the network gives what is no finite number.
    InvalidSpec
        If so many windows do not fit the device.
    """
    starts = range(0, len(windows), BATCH)
    try:
        parts = [network.predict_on_batch(windows[at : at + BATCH]) for at in starts]
    except Exception as error:
        from genre_model.learning.devices import judged_too_large_in_words, lacks_memory

        if not lacks_memory(error):
            raise
        raise InvalidSpec(judged_too_large_in_words(min(BATCH, len(windows)))) from error
    logits = np.concatenate(parts or [np.zeros((0, network.output_shape[-1]))])
    if not np.isfinite(logits).all():
        raise ModelError(
            "the network gives logits that are not finite numbers: its training diverged, or its "
            "file is not as it was written; train it again, at a lower learning rate"
        )
    return softmax(logits)


def predict_rows(
    network: keras.Model,
    index: RowIndex,
    read_shard: ReadShard,
    *,
    rows_per_shard: int,
    waiting: Waiting | None = None,
) -> WindowPredictions:
    """Predict every window of some rows, reading whole shards in order.

    Parameters
    ----------
    network : keras.Model
        Raw features to logits.
    index : RowIndex
        Which rows, with their labels and tracks.
    read_shard : ReadShard
        Called once a shard, in other threads, several at once.
    rows_per_shard : int
        Rows of a whole shard.
    waiting : Waiting, optional
        Takes the time in which the network waited for a shard.

    Returns
    -------
    WindowPredictions
        One line a window, shard by shard.
    """
    blocks = window_blocks(index, read_shard, rows_per_shard=rows_per_shard, waiting=waiting)
    with closing(blocks):
        return WindowPredictions.join(
            WindowPredictions(
                probabilities=window_probabilities(network, windows),
                labels=index.labels[places],
                track_ids=index.track_ids[places],
            )
            for windows, places in blocks
        )
