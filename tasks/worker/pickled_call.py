"""A call as bytes, so that Dask's scheduler need not import what only its workers need.

The scheduler unpickles the arguments of every call that passes through it: with the job itself
it would import numpy, pandas and zarr at the first shard, while all workers wait (a second), and
would have to have this project's dependencies installed.

A pickled call does not show what is in it, since workers log the arguments of a call that failed.
It holds no credentials either: only their names, which it tells to who sends it.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from storage.places import credentials


@dataclass(frozen=True)
class PickledCall:
    """A function and its arguments.

    Attributes
    ----------
    content : bytes
    credentials : frozenset[str]
        Names of those that must have been handed over to the process that makes the call; see
        `storage.places.credentials`.
    """

    content: bytes = field(repr=False)
    credentials: frozenset[str] = frozenset()


def pickled(function: Callable[..., Any], *arguments: object) -> PickledCall:
    """Pickle a call of an importable function."""
    with credentials.noted() as names:
        content = pickle.dumps((function, arguments))
    return PickledCall(content, frozenset(names))


def call(what: PickledCall) -> Any:
    """Make the pickled call and return its result."""
    function, arguments = pickle.loads(what.content)
    return function(*arguments)


OnWorkers = Callable[[PickledCall, str], Any]
"""Has a Dask worker make a call under a unique name; returns or raises what the call does."""


def on_any_worker(what: PickledCall, key: str) -> Any:
    """Have any worker of the present Dask client make a call; no credentials are handed over."""
    from distributed import get_client

    return get_client().submit(call, what, key=key, pure=False).result()
