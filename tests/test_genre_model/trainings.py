"""Short trainings on rows that can be learned, undisturbed or cut off, for tests."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from learnable_rows import GENRES, ROWS_PER_SHARD, index_of, learnable_rows, reader

from genre_model.learning.inference import predict_rows
from genre_model.recipe import TrainSpec

ROWS, LABELS = learnable_rows(240, seed=3)
TRAINING, VALIDATION, TEST = np.split(np.arange(240), [112, 144])
TIMES = ("seconds", "stall_share", "windows_per_second")
SHORT = TrainSpec(
    epochs=4,
    batch_size=32,
    patience=10,
    learning_rate=3e-3,
    pooled_shards=3,
    feed="streaming",
)


def fit(labels: np.ndarray = LABELS, spec: TrainSpec = SHORT, **options: object):  # noqa: ANN201
    from genre_model.learning.training import train

    return train(
        index_of(labels, TRAINING),
        validation=index_of(labels, VALIDATION),
        read_shard=options.pop("read_shard", reader(ROWS)),
        classes=len(GENRES),
        spec=spec,
        rows_per_shard=ROWS_PER_SHARD,
        **options,
    )


def hits(model: object, labels: np.ndarray) -> int:
    index = index_of(labels, TEST)
    tracks = predict_rows(model, index, reader(ROWS), rows_per_shard=ROWS_PER_SHARD).tracks()
    return int((tracks.probabilities.argmax(axis=1) == tracks.labels).sum())


class CutOffError(Exception):
    """Stands for whatever ends a training early."""


class Kept:
    """Keeps a state as its bytes, as a store does."""

    def __init__(self) -> None:
        self.states: list[bytes] = []

    def all(self) -> list[Any]:
        from genre_model.learning.checkpoints import decode_checkpoint

        return [decode_checkpoint(each) for each in self.states]

    def load(self):  # noqa: ANN201
        from genre_model.learning.checkpoints import decode_checkpoint

        return decode_checkpoint(self.states[-1]) if self.states else None

    def save(self, state: Any) -> None:
        from genre_model.learning.checkpoints import encode_checkpoint

        self.states.append(encode_checkpoint(state))


def cut_off_and_resumed(spec: TrainSpec, *, after: int, **options: Any):  # noqa: ANN201
    """Train, end it after an epoch, and go on with what was kept."""

    def stop(epoch: int, _epochs: int, _logs: object) -> None:
        if epoch == after:
            raise CutOffError

    kept = Kept()
    with pytest.raises(CutOffError):
        fit(spec=spec, checkpoints=kept, on_epoch=stop, **options)
    assert len(kept.states) == after
    epochs: list[int] = []
    resumed = fit(
        spec=spec, checkpoints=kept, on_epoch=lambda epoch, *_: epochs.append(epoch), **options
    )
    assert epochs == list(range(after + 1, spec.epochs + 1))
    assert len(kept.states) == spec.epochs
    return resumed


def undisturbed_and_resumed(spec: TrainSpec, *, after: int, **options: Any) -> tuple[Any, Any]:
    """Train, and train once more with what the first one had kept after an epoch."""
    kept = Kept()
    undisturbed = fit(spec=spec, checkpoints=kept, **options)
    assert len(kept.states) == spec.epochs
    kept.states = kept.states[:after]
    epochs: list[int] = []
    resumed = fit(
        spec=spec, checkpoints=kept, on_epoch=lambda epoch, *_: epochs.append(epoch), **options
    )
    assert epochs == list(range(after + 1, spec.epochs + 1))
    return undisturbed, resumed


def assert_same(resumed: Any, undisturbed: Any) -> None:
    columns = [name for name in resumed.history.columns if name not in TIMES]
    pd.testing.assert_frame_equal(
        resumed.history[columns], undisturbed.history[columns], rtol=1e-4, check_exact=False
    )
    for left, right in zip(
        resumed.model.get_weights(), undisturbed.model.get_weights(), strict=True
    ):
        np.testing.assert_allclose(left, right, atol=1e-4)
