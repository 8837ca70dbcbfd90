"""A training's history as an event file, for those who look at it in TensorBoard.

    tensorboard --logdir STORE/models

It is written with TensorFlow alone: `tf.summary.scalar` wants TensorBoard, `tf.summary.write` does
not, if it is told which of TensorBoard's plugins shows the value.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import tensorflow as tf


def write_event_log(folder: Path, history: pd.DataFrame) -> None:
    """Write one event file with a scalar a column and epoch.

    Parameters
    ----------
    folder : Path
        Made anew.
    history : pd.DataFrame
        One line an epoch: `epoch` (from 1), and columns of numbers; what is not a number is left
        out.
    """
    if folder.exists():
        shutil.rmtree(folder)
    scalars = tf.compat.v1.SummaryMetadata(
        plugin_data=tf.compat.v1.SummaryMetadata.PluginData(plugin_name="scalars")
    )
    writer = tf.summary.create_file_writer(str(folder))
    with writer.as_default():
        for line in history.to_dict("records"):
            step = int(line.pop("epoch"))
            for name, value in line.items():
                if pd.notna(value):
                    tf.summary.write(str(name), tf.constant(value, tf.float32), step, scalars)
    writer.close()
