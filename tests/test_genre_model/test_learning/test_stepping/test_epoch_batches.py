"""Keras takes each batch of an epoch once, in its order, and no error is lost on the way."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np
import pytest

from genre_model.learning.batches import Block

CLASSES = 3
SIZES = (4, 4, 4, 4, 4, 1)


def blocks(
    count: int, ended: list[str] | None = None, *, failing_at: int | None = None
) -> Generator[Block, None, None]:
    """Make batches whose values are their number, and whose place is that of their label."""
    try:
        for number, size in enumerate(SIZES[-count:]):
            if number == failing_at:
                raise PermissionError("no key for the bucket")
            yield np.full((size, 2, 2), number, np.float16), np.full(size, number % CLASSES)
    finally:
        if ended is not None:
            ended.append("closed")


def fitted(batches: Any) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return what Keras gives a network in one epoch."""
    import keras

    class Watching(keras.Model):
        def train_step(self, data: Any) -> dict[str, float]:
            seen.append((np.asarray(data[0]), np.asarray(data[1])))
            return {"loss": 0.0}

    seen: list[tuple[np.ndarray, np.ndarray]] = []
    inputs = keras.Input((2, 2))
    network = Watching(inputs, keras.layers.Flatten()(inputs))
    network.compile(loss="mse", run_eagerly=True)
    network.fit(batches, epochs=1, shuffle=False, verbose=0)
    return seen


@pytest.mark.parametrize("count", [1, 2, 3, 6])
def test_each_batch_is_seen_once_in_its_order(count: int) -> None:
    from genre_model.learning.stepping.epoch_batches import EpochBatches

    ended: list[str] = []
    seen = fitted(
        EpochBatches(blocks(count, ended), count=count, labels=np.arange(CLASSES), classes=CLASSES)
    )
    assert [windows.shape[0] for windows, _ in seen] == list(SIZES[-count:])
    for number, (windows, labels) in enumerate(seen):
        assert windows.dtype == np.float16
        assert (windows == number).all()
        expected = np.tile(np.eye(CLASSES)[number % CLASSES], (len(windows), 1))
        np.testing.assert_array_equal(labels, expected)
    assert ended == ["closed"]


@pytest.mark.parametrize("at", [0, 1, 2, 5])
def test_what_the_batches_raised_is_kept_as_it_was(at: int) -> None:
    from genre_model.learning.stepping.epoch_batches import EpochBatches

    batches = EpochBatches(
        blocks(6, failing_at=at), count=6, labels=np.arange(CLASSES), classes=CLASSES
    )
    with pytest.raises(Exception, match="no key for the bucket"):
        fitted(batches)
    assert isinstance(batches.raised, PermissionError)
    assert batches.raised.args == ("no key for the bucket",)
