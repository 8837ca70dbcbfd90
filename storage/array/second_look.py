"""Verify an array that another process may be writing meanwhile.

A shard is replaced before its manifest, and a table after both: who reads in between sees what no
two readings show alike. So what is wrong counts if it is so twice; and a shard without a manifest
is an open one as long as somebody writes.
"""

from collections.abc import Callable

from storage.array.feature_array import FeatureArray
from storage.array.verification import verify
from storage.proof.problems import Problem


def verify_as_it_is_written(
    features: FeatureArray, *, is_written: Callable[[], bool]
) -> list[Problem]:
    """List what is not as it was written, but for what is being written.

    Parameters
    ----------
    features : FeatureArray
    is_written : callable
        Tells whether another process writes the array now; asked before, between and after the
        readings.

    Returns
    -------
    list[Problem]
        As `verify`, which reads only the shards again that had a problem.
    """
    was_written = [is_written()]
    first = verify(features)
    if not first:
        return []
    was_written.append(is_written())
    second = verify(features, shards={each.shard for each in first if each.shard is not None})
    was_written.append(is_written())
    both = (*first, *second) if any(was_written) else ()
    still_open = {each.shard for each in both if each.what == "manifest missing"}
    return [each for each in first if each in second and each.shard not in still_open]
