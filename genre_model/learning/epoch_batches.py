"""One epoch's batches as Keras asks for them.

Keras asks for      0 1          0 1 2 3 4 …
                    └─┬─┘        └─┬─┘
                    shapes       the epoch: the same two again, then one after the other
"""

from __future__ import annotations

from collections.abc import Generator

import keras
import numpy as np

from genre_model.learning.batches import Block

_ASKED_TWICE = 2


class EpochBatches(keras.utils.PyDataset):  # type: ignore[misc]
    """Batches that are made once, in their order, with labels as Keras's losses take them.

    Keras asks from a thread of its own, ahead of the network: how far ahead is TensorFlow's to
    choose (`prefetch(AUTOTUNE)`).

    Parameters
    ----------
    batches : Generator of Block
        Windows float16 [batch, ...], and their labels [batch]; closed after the last.
    count : int
        How many there are.
    classes : int
        Every label is below it.

    Attributes
    ----------
    raised : Exception | None
        What the batches raised. Out of `fit` comes TensorFlow's own error, with its text.
    """

    def __init__(self, batches: Generator[Block, None, None], *, count: int, classes: int) -> None:
        super().__init__(workers=1, use_multiprocessing=False)
        self.raised: Exception | None = None
        self._batches, self._count = batches, count
        self._one_hot = np.eye(classes, dtype=np.float32)
        self._first: list[tuple[np.ndarray, np.ndarray]] = []

    @property
    def num_batches(self) -> int:
        """Return how many batches the epoch has."""
        return self._count

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the next batch, or one of the first two again.

        Returns
        -------
        np.ndarray [shape=(batch, ...), float16]
        np.ndarray [shape=(batch, classes), float32]
            1 at each window's label.
        """
        if index < len(self._first):
            return self._first[index]
        batch = self._next()
        if index < _ASKED_TWICE:
            self._first.append(batch)
        if index == self._count - 1:
            self._batches.close()
        return batch

    def _next(self) -> tuple[np.ndarray, np.ndarray]:
        try:
            windows, labels = next(self._batches)
        except Exception as error:
            self.raised = error
            raise
        return windows, self._one_hot[labels]
