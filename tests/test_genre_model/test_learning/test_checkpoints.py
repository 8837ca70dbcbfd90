"""A state of a training as one file: whole, or refused."""

import json

import numpy as np
import pytest

from genre_model.errors import ModelError
from genre_model.networks.statistics import InputStatistics


@pytest.fixture(scope="module")
def encoded() -> bytes:
    import keras

    from genre_model.learning.checkpoints import Checkpoint, encode_checkpoint

    keras.utils.set_random_seed(1)
    network = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    network.compile(optimizer="adam", loss="mse")
    network.fit(np.ones((4, 3)), np.ones((4, 2)), verbose=0)
    statistics = InputStatistics(np.full(2, 3, np.float32), np.full(2, 4, np.float32))
    best = [weights + 1 for weights in network.get_weights()]
    return encode_checkpoint(Checkpoint(network, statistics, best, ({"epoch": 1, "loss": 0.5},)))


def test_a_state_comes_back(encoded: bytes) -> None:
    from genre_model.learning.checkpoints import decode_checkpoint

    state = decode_checkpoint(encoded)
    assert state.history == ({"epoch": 1, "loss": 0.5},)
    assert state.statistics.mean.tolist() == [3, 3]
    assert state.statistics.deviation.tolist() == [4, 4]
    for best, weights in zip(state.best_weights, state.network.get_weights(), strict=True):
        np.testing.assert_array_equal(best, weights + 1)
    assert int(state.network.optimizer.iterations) == 1


def test_one_that_was_cut_off_is_refused(encoded: bytes) -> None:
    from genre_model.learning.checkpoints import decode_checkpoint

    for length in (0, 1, 100, len(encoded) // 2, len(encoded) - 1):
        with pytest.raises(ModelError, match="no whole archive"):
            decode_checkpoint(encoded[:length])


def test_no_damage_goes_unseen(encoded: bytes) -> None:
    """A bit is turned at many places: a part is as it was, or not there, which is refused too."""
    from genre_model.learning.checkpoints import unpack

    good = unpack(encoded)
    places = np.random.default_rng(0).integers(len(encoded), size=400)
    headers = range(len(encoded) - 300, len(encoded))
    for place in [*places.tolist(), *range(60), *headers]:
        damaged = bytearray(encoded)
        damaged[place] ^= 1 << place % 8
        try:
            found = unpack(bytes(damaged))
        except ModelError:
            continue
        assert {name: part for name, part in found.items() if name in good}.items() <= good.items()


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"history.json": None}, "it has no history.json"),
        ({"history.json": b"{"}, "a part of it does not open"),
        ({"history.json": b"[" * 10**6}, "a part of it does not open"),
        ({"best.npz": b""}, "a part of it does not open"),
        ({"network.keras": b"no network"}, "its network is no whole zip archive"),
    ],
)
def test_one_with_a_part_that_is_none_is_refused(
    encoded: bytes, changed: dict[str, bytes | None], sentence: str
) -> None:
    from genre_model.learning.checkpoints import decode_checkpoint, pack, unpack

    parts = {**unpack(encoded), **changed}
    with pytest.raises(ModelError, match=sentence):
        decode_checkpoint(pack({name: part for name, part in parts.items() if part is not None}))


def test_the_history_is_plain_json(encoded: bytes) -> None:
    from genre_model.learning.checkpoints import unpack

    assert json.loads(unpack(encoded)["history.json"]) == [{"epoch": 1, "loss": 0.5}]


def test_a_training_on_long_crops_can_be_gone_on_from() -> None:
    """As `resnet-l` on crops of ten windows: its first block makes 64 x 640 x 128 numbers."""
    import keras

    from genre_model.learning.checkpoints import (
        Checkpoint,
        decode_checkpoint,
        encode_checkpoint,
        unpack,
    )
    from genre_model.learning.opening.keras_file import open_keras

    network = keras.Sequential([keras.Input((64, 640, 1)), keras.layers.Conv2D(128, 1)])
    network.compile(optimizer="adam", loss="mse")
    state = Checkpoint(
        network, InputStatistics.identity(64), network.get_weights(), ({"epoch": 1, "loss": 0.5},)
    )
    written = encode_checkpoint(state)
    assert decode_checkpoint(written).network.output_shape == (None, 64, 640, 128)
    # a published network takes windows as they are
    with pytest.raises(ModelError, match="makes 5,242,880 numbers of one window, more than 4,194"):
        open_keras(unpack(written)["network.keras"])
