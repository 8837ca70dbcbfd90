"""A call as bytes, so that Dask's scheduler need not import what only its workers need.

The scheduler unpickles the arguments of every call that passes through it: with the job itself
it would import numpy, pandas and zarr at the first shard, while all workers wait (a second), and
would have to have this project's dependencies installed.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any


def pack(function: Callable[..., Any], *arguments: object) -> bytes:
    """Pickle a call of an importable function."""
    return pickle.dumps((function, arguments))


def call(packed: bytes) -> Any:
    """Call what `pack` packed and return its result."""
    function, arguments = pickle.loads(packed)
    return function(*arguments)
