"""`genre_model.learning.event_log`: what TensorBoard would read."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import tensorflow as tf

from genre_model.learning.event_log import EVENT_FILE, write_event_log


def test_every_number_of_every_epoch_is_a_scalar(tmp_path: Path) -> None:
    history = pd.DataFrame(
        {"epoch": [1, 2, 3], "loss": [2.0, 1.5, 1.25], "stall_share": [None, 0.25, 0.5]}
    )
    write_event_log(tmp_path / "logs", history)
    (path,) = (tmp_path / "logs").iterdir()
    assert path.name == EVENT_FILE
    found: dict[str, list[tuple[int, float]]] = {}
    for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
        event = tf.compat.v1.Event.FromString(record)
        for value in event.summary.value:
            assert value.metadata.plugin_data.plugin_name == "scalars"
            number = float(tf.make_ndarray(value.tensor))
            found.setdefault(value.tag, []).append((event.step, number))
    assert found == {
        "loss": [(1, 2.0), (2, 1.5), (3, 1.25)],
        "stall_share": [(2, 0.25), (3, 0.5)],
    }


def test_each_epoch_has_the_time_at_which_it_ended(tmp_path: Path) -> None:
    write_event_log(tmp_path, pd.DataFrame({"epoch": [1, 2, 3], "seconds": [9.0, 40.0, 2.5]}))
    records = tf.data.TFRecordDataset(str(tmp_path / EVENT_FILE)).as_numpy_iterator()
    times = [tf.compat.v1.Event.FromString(each).wall_time for each in records]
    assert [later - times[1] for later in times[1:]] == pytest.approx([0, 40, 42.5])
    assert times[0] == times[-1]  # now: that of the file, and of the last epoch


@pytest.mark.parametrize("epochs", [0, 1])
def test_few_epochs(tmp_path: Path, epochs: int) -> None:
    write_event_log(tmp_path, pd.DataFrame({"epoch": range(1, epochs + 1), "loss": 1.0}))
    assert len(list(tmp_path.iterdir())) == 1
