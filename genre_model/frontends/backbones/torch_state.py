"""The arrays of a PyTorch state dict, read without PyTorch, and nothing of the file is run.

The file is as `torch.save` wrote it before PyTorch 1.6, five pickles and the storages' bytes:

    magic | version | sizes of types | state dict | keys | count, values | count, values | ...

A pickle can call anything. Here it may use the few operations that a state dict is made of, and
name four things, each of which is a stand-in that holds what it is given.
"""

from __future__ import annotations

import io
import math
import pickle
import pickletools
from collections.abc import Mapping
from typing import Any, NamedTuple, NoReturn

import numpy as np

from genre_model.errors import ModelError

MAGIC, VERSION = 0x1950A86A20F9469CFC6C, 1001
_MOST_DIMENSIONS = 8
_OPERATIONS = {
    *("PROTO", "STOP", "MARK", "GLOBAL", "REDUCE", "BUILD", "BINPERSID", "NONE", "NEWTRUE"),
    *("NEWFALSE", "BININT", "BININT1", "BININT2", "LONG1", "BINUNICODE", "BINPUT", "LONG_BINPUT"),
    *("BINGET", "LONG_BINGET", "EMPTY_DICT", "EMPTY_LIST", "EMPTY_TUPLE", "TUPLE", "TUPLE1"),
    *("TUPLE2", "TUPLE3", "SETITEM", "SETITEMS", "APPEND", "APPENDS"),
}


class _Storage(NamedTuple):
    """Numbers that lie behind the pickles, in little endian."""

    type: str
    key: str
    numbers: int

    @property
    def bytes(self) -> int:
        return self.numbers * np.dtype(self.type).itemsize


class _Tensor(NamedTuple):
    """A view of a storage, as the file says it: not checked yet."""

    storage: object
    offset: object
    size: object
    stride: object
    requires_grad: object = False
    hooks: object = None


class _Dict(dict[Any, Any]):
    """Stands for an OrderedDict, whose attributes (PyTorch's versions of layers) are left out."""

    def __setstate__(self, _state: object) -> None:
        pass


_GLOBALS: Mapping[tuple[str, str], object] = {
    ("collections", "OrderedDict"): _Dict,
    ("torch._utils", "_rebuild_tensor_v2"): _Tensor,
    ("torch", "FloatStorage"): "<f4",
    ("torch", "LongStorage"): "<i8",
}


def read_state(content: bytes) -> dict[str, np.ndarray]:
    """Read the arrays of a state dict.

    Parameters
    ----------
    content : bytes
        A whole file of PyTorch before 1.6 (its newer ones are ZIP archives).

    Returns
    -------
    dict[str, np.ndarray]
        By name, float32 or int64, of the shapes that PyTorch has: [out, in, height, width] of a
        convolution's.

    Raises
    ------
    ModelError
        If it is another file, is cut off, or names or does what a state dict does not. The text
        goes on behind the file's name.
    """
    stream = io.BytesIO(content)
    for wanted in (MAGIC, VERSION):
        found = _unpickle(stream)
        if type(found) is not int or found != wanted:
            raise ModelError("is no state dict of PyTorch before 1.6")
    sizes, state, keys = (_unpickle(stream) for _ in range(3))
    if type(sizes) is not dict or sizes.get("little_endian") is not True:
        raise ModelError("is of a machine of the other byte order")
    if type(state) is not _Dict or type(keys) is not list:
        raise ModelError("has no state dict")
    if not all(type(name) is str for name in (*state, *keys)):
        raise ModelError("has no names in its state dict")
    tensors = {name: _checked(tensor) for name, tensor in state.items()}
    # many tensors of the same numbers would be more than the file is
    if sum(math.prod(each.size) for each in tensors.values()) * 4 > len(content):
        raise ModelError("has more numbers than bytes for them")
    values = _read_storages(stream, keys, [tensor.storage for tensor in tensors.values()])
    return {name: _view(tensor, values) for name, tensor in tensors.items()}


class _View(NamedTuple):
    """A tensor whose place in its storage was checked."""

    storage: _Storage
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]


class _Unpickler(pickle.Unpickler):
    """Knows the stand-ins, and nothing else."""

    def find_class(self, module: str, name: str) -> object:
        if (module, name) not in _GLOBALS:
            raise ModelError(f"names {f'{module}.{name}'[:80]!r}, which no state dict needs")
        return _GLOBALS[module, name]

    def persistent_load(self, pid: object) -> _Storage:
        # ("storage", type, key, device, count, view of another storage)
        if type(pid) is not tuple or len(pid) != 6 or pid[0] != "storage" or pid[5] is not None:
            _refuse_storage()
        _, kind, key, _, count, _ = pid
        if kind not in ("<f4", "<i8") or type(key) is not str or type(count) is not int:
            _refuse_storage()
        return _Storage(kind, key, count)


def _unpickle(stream: io.BytesIO) -> object:
    """Load the next pickle of a stream, once all its operations are known to be allowed ones."""
    start, size = stream.tell(), stream.getbuffer().nbytes
    try:
        for operation, argument, _ in pickletools.genops(stream):
            if operation.name not in _OPERATIONS:
                raise ModelError(f"does {operation.name}, which no state dict needs")
            # the memory of a place that far would be set aside
            if operation.name == "LONG_BINPUT" and int(argument or 0) > size:
                raise ModelError("is damaged: it remembers more than it holds")
        stream.seek(start)
        return _Unpickler(stream).load()
    except ModelError:
        raise
    except Exception as error:  # a damaged pickle raises just anything
        raise ModelError(f"is no whole state dict ({type(error).__name__})") from error


def _checked(tensor: object) -> _View:
    """Return a tensor that lies whole in its storage."""
    if type(tensor) is not _Tensor or type(tensor.storage) is not _Storage:
        raise ModelError("has other things than tensors in its state dict")
    offset, size, stride = tensor.offset, tensor.size, tensor.stride
    if type(size) is not tuple or type(stride) is not tuple or len(size) != len(stride):
        _refuse_view()
    if not isinstance(offset, int) or len(size) > _MOST_DIMENSIONS:
        _refuse_view()
    if not all(type(n) is int and n >= 0 for n in (offset, *size, *stride)):
        _refuse_view()
    last = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
    there = tensor.storage.numbers
    if 0 in size or last >= there or math.prod(size) > there:
        _refuse_view()
    return _View(tensor.storage, offset, size, stride)


def _read_storages(
    stream: io.BytesIO, keys: list[str], wanted: list[_Storage]
) -> dict[str, np.ndarray]:
    """Read the numbers behind the pickles, in the order of their keys, to the file's end."""
    storages = {storage.key: storage for storage in wanted}
    is_one_each = all(storages[each.key] == each for each in wanted)
    if not is_one_each or sorted(keys) != sorted(storages):
        _refuse_storage()
    found = {}
    for key in keys:
        storage = storages[key]
        count = int.from_bytes(stream.read(8), "little", signed=True)
        content = stream.read(storage.bytes) if count == storage.numbers else b""
        if len(content) != storage.bytes:
            raise ModelError("is cut off, or was changed: not all of its numbers are there")
        found[key] = np.frombuffer(content, storage.type)
    if stream.read(1):
        raise ModelError("goes on behind its last number")
    return found


def _view(tensor: _View, values: Mapping[str, np.ndarray]) -> np.ndarray:
    flat = values[tensor.storage.key][tensor.offset :]
    steps = tuple(step * flat.itemsize for step in tensor.stride)
    view = np.lib.stride_tricks.as_strided(flat, tensor.size, steps, writeable=False)
    return np.ascontiguousarray(view).reshape(tensor.size)


def _refuse_storage() -> NoReturn:
    raise ModelError("has numbers elsewhere than a state dict has them")


def _refuse_view() -> NoReturn:
    raise ModelError("has a tensor that is no part of its numbers")
