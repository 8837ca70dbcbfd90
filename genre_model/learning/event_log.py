"""A training's history as an event file, for those who look at it in TensorBoard.

    tensorboard --logdir STORE/models

It is written with TensorFlow alone: `tf.summary.scalar` wants TensorBoard, `tf.summary.write` does
not, if it is told which of TensorBoard's plugins shows the value.
"""

from __future__ import annotations

import shutil
import tempfile
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
        out.
    """
    scalars = tf.compat.v1.SummaryMetadata(
        plugin_data=tf.compat.v1.SummaryMetadata.PluginData(plugin_name="scalars")
    )
    folder.mkdir(parents=True, exist_ok=True)
    # in the folder itself, which is its owner's to sweep after a kill
    with tempfile.TemporaryDirectory(prefix=".events-", dir=folder) as temporary:
        writer = tf.summary.create_file_writer(temporary)
        with writer.as_default():
            for line in history.to_dict("records"):
                step = int(line.pop("epoch"))
                for name, value in line.items():
                    if pd.notna(value):
                        tf.summary.write(str(name), tf.constant(value, tf.float32), step, scalars)
        writer.close()
        # its own name would tell host, time and process: a model's files have the same names
        (written,) = Path(temporary).iterdir()
        shutil.move(written, folder / EVENT_FILE)
