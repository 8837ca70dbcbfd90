"""State dicts of PyTorch: read as PyTorch lays them out, and nothing that a file says is run."""

from __future__ import annotations

import io
import os
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest

from genre_model.errors import ModelError
from genre_model.frontends.backbones.torch_state import MAGIC, VERSION, read_state

ORDERED = b"ccollections\nOrderedDict\n)R"
SIZES = pickle.dumps({"protocol_version": 1001, "little_endian": True}, 2)
VALUES = np.arange(12, dtype="<f4")


def text(word: str) -> bytes:
    return b"X" + struct.pack("<I", len(word)) + word.encode()


def numbers(*values: int) -> bytes:
    return b"(" + b"".join(b"J" + struct.pack("<i", value) for value in values) + b"t"


def tensor(
    size: tuple[int, ...],
    stride: tuple[int, ...],
    *,
    offset: int = 0,
    count: int = 12,
    key: str = "7",
    kind: bytes = b"ctorch\nFloatStorage\n",
    rebuild: bytes = b"ctorch._utils\n_rebuild_tensor_v2\n",
) -> bytes:
    """Write a tensor as PyTorch does: a call, of a storage that lies elsewhere."""
    storage = b"(" + text("storage") + kind + text(key) + text("cpu")
    storage += b"J" + struct.pack("<i", count) + b"NtQ"
    place = b"J" + struct.pack("<i", offset)
    return (
        rebuild + b"(" + storage + place + numbers(*size) + numbers(*stride)
        + b"\x89" + ORDERED + b"tR"
    )  # fmt: skip


def written(
    tensors: dict[str, bytes],
    *,
    storages: dict[str, np.ndarray] | None = None,
    state: bytes | None = None,
) -> bytes:
    """Write a file as `torch.save` did before PyTorch 1.6."""
    storages = {"7": VALUES} if storages is None else storages
    pairs = b"".join(text(name) + each for name, each in tensors.items())
    made = b"\x80\x02" + ORDERED + b"(" + pairs + b"u}" + text("_metadata") + ORDERED + b"sb."
    content = pickle.dumps(MAGIC, 2) + pickle.dumps(VERSION, 2) + SIZES
    content += made if state is None else state
    content += pickle.dumps(list(storages), 2)
    for each in storages.values():
        content += struct.pack("<q", each.size) + each.tobytes()
    return content


WHOLE = written({"w": tensor((3, 2), (1, 3), offset=6)})


def test_arrays_are_views_of_storages_with_the_strides_that_are_said() -> None:
    kind = b"ctorch\nLongStorage\n"
    found = read_state(
        written(
            {
                "w": tensor((3, 2), (1, 3), offset=6),
                "b": tensor((12,), (1,)),
                "n": tensor((), (), count=1, key="8", kind=kind),
            },
            storages={"7": VALUES, "8": np.array([5])},
        )
    )

    assert list(found) == ["w", "b", "n"]
    np.testing.assert_array_equal(found["w"], [[6, 9], [7, 10], [8, 11]])
    np.testing.assert_array_equal(found["b"], VALUES)
    assert (found["n"].shape, found["n"].dtype, int(found["n"])) == ((), np.int64, 5)


@pytest.mark.parametrize("called", ["os\nsystem", "posix\nsystem", "subprocess\ngetoutput"])
def test_a_call_of_anything_else_is_refused_and_not_made(called: str, tmp_path: Path) -> None:
    order = text(f"touch {tmp_path / 'made'}")
    state = b"\x80\x02c" + called.encode() + b"\n(" + order + b"tR."
    with pytest.raises(ModelError, match=called.replace("\n", ".")):
        read_state(written({}, state=state))
    assert list(tmp_path.iterdir()) == []


class Hostile:
    def __init__(self, order: str) -> None:
        self.order = order

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (self.order,)


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
def test_hostile_pickles_of_every_protocol_are_refused(protocol: int, tmp_path: Path) -> None:
    made = pickle.dumps(Hostile(f"touch {tmp_path / 'made'}"), protocol)
    # as the state dict, and in place of the magic number
    for content in (written({}, state=made), made + WHOLE):
        with pytest.raises(ModelError, match=r"which no state dict needs"):
            read_state(content)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "no whole state dict"),
        (b"PK\x03\x04 a newer file", "state dict"),
        (pickle.dumps(5, 2) + WHOLE, "no state dict of PyTorch before 1.6"),
        (written({"w": tensor((4, 4), (4, 1))}), "no part of its numbers"),
        (written({"w": tensor((12,), (1,), offset=1)}), "no part of its numbers"),
        (written({"w": tensor((2,), (-1,), offset=3)}), "no part of its numbers"),
        (written({"w": tensor((10**6,), (0,))}), "no part of its numbers"),
        (written({"w": tensor((-3,), (1,))}), "no part of its numbers"),
        (written({"w": tensor((1,) * 9, (1,) * 9)}), "no part of its numbers"),
        (
            written({f"w{n}": tensor((12,), (1,)) for n in range(2)}, storages={}),
            "numbers elsewhere",
        ),
        (written({"w": tensor((1,), (1,), count=11)}), "cut off, or was changed"),
        (written({"w": tensor((1,), (1,), rebuild=b"ctorch._utils\n_other\n")}), "_utils._other"),
        (written({"w": tensor((1,), (1,), kind=b"ctorch\nHalfStorage\n")}), "torch.HalfStorage"),
        (written({"w": text("no tensor")}), "other things than tensors"),
        (written({}, state=pickle.dumps([1], 2)), "no state dict"),
        (written({}, state=b"\x80\x02Nr\xff\xff\xff\x7f."), "remembers more"),
        (WHOLE + b"x", "goes on behind"),
    ],
)  # fmt: skip
def test_other_files_are_one_sentence(content: bytes, says: str) -> None:
    with pytest.raises(ModelError, match=says):
        read_state(content)


def test_one_storage_does_not_become_more_than_the_file_is() -> None:
    many = {f"{n}": tensor((5_000,), (1,), count=5_000) for n in range(100)}
    with pytest.raises(ModelError, match="more numbers than bytes"):
        read_state(written(many, storages={"7": np.zeros(5_000, "<f4")}))


def test_a_file_that_is_cut_off_anywhere_is_refused() -> None:
    for size in range(len(WHOLE)):
        with pytest.raises(ModelError):
            read_state(WHOLE[:size])


def test_a_changed_byte_is_read_or_refused_and_nothing_else() -> None:
    refused = 0
    for place in range(len(WHOLE)):
        for value in (0, 40, 98, 255):
            changed = bytearray(WHOLE)
            changed[place] = value
            try:
                read_state(bytes(changed))
            except ModelError:
                refused += 1
    assert refused > len(WHOLE)


def test_the_made_file_is_what_pickle_itself_would_load() -> None:
    stream = io.BytesIO(WHOLE)
    assert [pickle.load(stream) for _ in range(2)] == [MAGIC, VERSION]
