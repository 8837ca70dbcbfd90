"""A call as bytes, so that Dask's scheduler need not import what only its workers need.

The scheduler unpickles the arguments of every call that passes through it: with the job itself
it would import numpy, pandas and zarr at the first shard, while all workers wait (a second), and
would have to have this project's dependencies installed.

A packed call does not show what is in it: workers log the arguments of a call that failed, and
locations hold credentials.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Packed:
    """A pickled call."""

    content: bytes = field(repr=False)


def pack(function: Callable[..., Any], *arguments: object) -> Packed:
    """Pickle a call of an importable function."""
    return Packed(pickle.dumps((function, arguments)))


def call(packed: Packed) -> Any:
    """Call what `pack` packed and return its result."""
    function, arguments = pickle.loads(packed.content)
    return function(*arguments)
