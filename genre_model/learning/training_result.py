"""What a training comes to, however the network was trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import keras
import pandas as pd

from genre_model.networks.statistics import InputStatistics

HISTORY_COLUMNS = (
    "epoch",
    "loss",
    "accuracy",
    "validation_loss",
    "validation_window_accuracy",
    "validation_track_accuracy",
    "learning_rate",
    "seconds",
    "stall_share",
    "windows_per_second",
)
"""Of a line of the history.

`seconds` are those of the whole epoch, training and validation. `stall_share` [0 to 1] is how much
of them went by while the next shard was asked for and not read yet: the first pool of the epoch,
every later one, and validation's shards. It is an upper bound of how long the network had nothing
to do, since finished batches (as many as TensorFlow chooses) wait for it while the next pool is
asked for. `windows_per_second` are training windows a second of the epoch without its validation.
What a solver fits has one epoch, and a learning rate of 0.
"""


@dataclass(frozen=True)
class TrainingResult:
    """A trained network and how it came to be.

    Parameters
    ----------
    model : keras.Model
        With the weights of its best epoch; raw features in, logits out.
    history : pd.DataFrame
        One line an epoch, columns `HISTORY_COLUMNS`.
    best_epoch : int [from 1]
        Highest validation track accuracy, and among equals lowest validation loss.
    validation_track_accuracy, validation_window_accuracy : float [0 to 1]
        At the best epoch.
    statistics : InputStatistics
        Of the training windows, as they are in the model.
    stall_share : float [0 to 1]
        Of all epochs together, see `HISTORY_COLUMNS`.
    windows_per_second : float
        Median of the epochs.
    search : Mapping, optional
        What was tried before, and what it came to, as plain values.
    """

    model: keras.Model
    history: pd.DataFrame
    best_epoch: int
    validation_track_accuracy: float
    validation_window_accuracy: float
    statistics: InputStatistics
    stall_share: float
    windows_per_second: float
    search: Mapping[str, object] | None = None
