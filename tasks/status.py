"""What a store holds, with what is known of its data sets; imports no Prefect."""

from __future__ import annotations

from typing import Any

from storage.array.verification import verify as verify_features
from storage.store import Store
from tasks.known_defects import report_known_defects


def describe_store(store: Store, *, verify: bool = False) -> dict[str, Any]:
    """Gather what a store holds.

    Parameters
    ----------
    store : Store
    verify : bool
        Read every byte of the features, and list what is not as it was written.

    Returns
    -------
    dict
        The JSON object of `genre status`.
    """
    found = store.status().to_dict()
    for each in found["features"]:
        data_set, _, name = each["key"].partition("/")
        each["known_defects"] = report_known_defects(store, data_set=data_set, name=name)
    if verify:
        found["problems"] = [
            {"features": array.key, **problem.to_dict()}
            for array in store.features.open_all()
            for problem in verify_features(array)
        ]
    return found
