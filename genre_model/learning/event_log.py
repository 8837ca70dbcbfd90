"""A training's history as an event file, for those who look at it in TensorBoard.

    tensorboard --load_fast=false --logdir STORE/models

TensorBoard's fast loader does not see that a file was replaced, as it is after each epoch.

It is written with TensorFlow alone, as records: `tf.summary.scalar` wants TensorBoard, and all of
`tf.summary` gives each event the time at which it is written.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import pandas as pd
import tensorflow as tf

EVENT_FILE = "events.out.tfevents.history"


def write_event_log(folder: Path, history: pd.DataFrame) -> None:
    """Write one event file with a scalar a column and epoch, in place of an older one.

    Parameters
    ----------
    folder : Path
        Made if it is not there.
    history : pd.DataFrame
        One line an epoch: `epoch` (from 1), and columns of numbers; what is not a number is left
        out. The last epoch ended now, those before it as their `seconds` tell, where there are any.
    """
    now = time.time()
    lasted = history.get("seconds", pd.Series(0.0, index=history.index)).fillna(0.0)
    ended = now - lasted[::-1].cumsum()[::-1] + lasted
    scalars = tf.compat.v1.SummaryMetadata(
        plugin_data=tf.compat.v1.SummaryMetadata.PluginData(plugin_name="scalars")
    )
    folder.mkdir(parents=True, exist_ok=True)
    # in the folder itself, which is its owner's to sweep after a kill
    with tempfile.TemporaryDirectory(prefix=".events-", dir=folder) as temporary:
        written = Path(temporary) / EVENT_FILE
        with tf.io.TFRecordWriter(str(written)) as writer:
            version = tf.compat.v1.Event(wall_time=now, file_version="brain.Event:2")
            writer.write(version.SerializeToString())
            for line, at in zip(history.to_dict("records"), ended, strict=True):
                step = int(line.pop("epoch"))
                values = [
                    tf.compat.v1.Summary.Value(
                        tag=str(name),
                        tensor=tf.make_tensor_proto(value, tf.float32),
                        metadata=scalars,
                    )
                    for name, value in line.items()
                    if pd.notna(value)
                ]
                summary = tf.compat.v1.Summary(value=values)
                event = tf.compat.v1.Event(wall_time=at, step=step, summary=summary)
                writer.write(event.SerializeToString())
        written.replace(folder / EVENT_FILE)
