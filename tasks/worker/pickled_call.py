"""A call as bytes, so that Dask's scheduler need not import what only its workers need.

The scheduler unpickles the arguments of every call that passes through it: with the job itself
it would import numpy, pandas and zarr at the first shard, while all workers wait (a second), and
would have to have this project's dependencies installed.

A pickled call does not show what is in it: workers log the arguments of a call that failed, and
locations hold credentials.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class PickledCall:
    """A function and its arguments."""

    content: bytes = field(repr=False)


def pickled(function: Callable[..., Any], *arguments: object) -> PickledCall:
    """Pickle a call of an importable function."""
    return PickledCall(pickle.dumps((function, arguments)))


def call(what: PickledCall) -> Any:
    """Make the pickled call and return its result."""
    function, arguments = pickle.loads(what.content)
    return function(*arguments)
