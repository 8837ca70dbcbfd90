"""One epoch's batches as Keras asks for them.

Keras asks for      0 1          0 1 2 3 4 …
                    └─┬─┘        └─┬─┘
                    shapes       the epoch: the same two again, then one after the other

and where several devices share them, between those for some more, which it lets go: 0 1 2 3 …
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Mapping

import keras
import numpy as np

from genre_model.learning.augmenting.draws import Draws, mixed_targets
from genre_model.learning.batches import Block

ASKED_AGAIN, OF_SEVERAL_DEVICES = 2, 64
"""Batches that are kept, the latest, since Keras may ask for them again."""

Given = np.ndarray | Mapping[str, np.ndarray]
Batch = tuple[Given, np.ndarray] | tuple[Given, np.ndarray, np.ndarray]
"""Windows (with draws: by name), targets [batch, classes], and how much each window weighs."""


class EpochBatches(keras.utils.PyDataset):  # type: ignore[misc]
    """Batches that are made once, in their order, with targets as Keras's losses take them.

    Keras asks from a thread of its own, ahead of the network: how far ahead is TensorFlow's to
    choose (`prefetch(AUTOTUNE)`).

    Parameters
    ----------
    batches : Generator of Block
        Windows float16 [batch, ...], and their places among the `labels` [batch]; closed after the
        last.
    count : int
        How many there are.
    labels : np.ndarray [shape=(n,), int32]
        Every one is below `classes`.
    classes : int
    weights : Mapping, optional
        Genre's place -> how much its windows weigh.
    draw : callable, optional
        How many windows -> what they are to be changed by.
    is_named : bool
        Whether windows are given by their name even where nothing is drawn.
    keep : int
        How many batches are kept, the latest.

    Attributes
    ----------
    raised : Exception | None
        What the batches raised. Out of `fit` comes TensorFlow's own error, with its text.
    """

    def __init__(
        self,
        batches: Generator[Block, None, None],
        *,
        count: int,
        labels: np.ndarray,
        classes: int,
        weights: Mapping[int, float] | None = None,
        draw: Callable[[int], Draws] | None = None,
        is_named: bool = False,
        keep: int = ASKED_AGAIN,
    ) -> None:
        super().__init__(workers=1, use_multiprocessing=False)
        self.raised: Exception | None = None
        self._batches, self._count, self._draw = batches, count, draw
        self._is_named = is_named or draw is not None
        self._targets = np.eye(classes, dtype=np.float32)[labels]
        self._weights: np.ndarray | None = None
        if weights is not None:
            self._weights = np.array([weights[each] for each in range(classes)], np.float32)
        self._kept: dict[int, Batch] = {}
        self._keep, self._lock = keep, threading.Lock()
        self._places: list[np.ndarray] = []

    def places_of(self, step: int) -> np.ndarray:
        """Return the places of a step's windows (from 0), once Keras has asked for it."""
        return self._places[step]

    def trial(self, size: int) -> Batch:
        """Return a batch of so many windows that are none, to see whether such a step fits."""

        def ones(values: np.ndarray) -> np.ndarray:
            return np.ones((size, *values.shape[1:]), values.dtype)

        any_batch = next(iter(self._kept.values())) if self._kept else self[0]
        batch: Batch = keras.tree.map_structure(ones, any_batch)
        windows = batch[0]
        if isinstance(windows, dict) and "partner" in windows:
            windows["partner"] = np.zeros(size, windows["partner"].dtype)  # a batch of one has no 1
        return batch

    @property
    def num_batches(self) -> int:
        """Return how many batches the epoch has."""
        return self._count

    def __getitem__(self, index: int) -> Batch:
        """Return the next batch, or one of those that are kept again.

        Returns
        -------
        np.ndarray [shape=(batch, ...), float16] or Mapping
            `windows` and the draws, where there are any.
        np.ndarray [shape=(batch, classes), float32]
            1 at each window's label; shares of two, where windows are mixed.
        np.ndarray [shape=(batch,), float32], optional
            How much each window weighs.
        """
        with self._lock:  # whom Keras has let go may still ask in a thread
            if (made := len(self._places)) <= index:
                self._kept[made] = self._next()
                self._kept.pop(made - self._keep, None)
            if index == self._count - 1:
                self._batches.close()
            return self._kept[index]

    def _next(self) -> Batch:
        try:
            windows, places = next(self._batches)
        except Exception as error:
            self.raised = error
            raise
        self._places.append(places)
        targets, drawn = self._targets[places], self._draw(len(places)) if self._draw else {}
        targets = mixed_targets(targets, drawn)
        given = {"windows": windows, **drawn} if self._is_named else windows
        if self._weights is None:  # Keras takes no None in its place
            return given, targets
        return given, targets, targets @ self._weights
