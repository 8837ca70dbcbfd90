"""Known defects of a data set, compared with what a store's arrays hold of it."""

from __future__ import annotations

import contextlib
from typing import Any

import pandas as pd

from genre_model.data.known_defects import compare_defects, fma_small
from storage.array.features import FeatureStore
from storage.array.tables import current_rows
from storage.catalogues import catalogue_ids, read_catalogue
from storage.errors import Damaged, NotFound
from storage.places.location import Location


def report_known_defects(store: Location, *, data_set: str, name: str) -> dict[str, Any] | None:
    """Compare one array's rows with the defects that are known of its data set.

    Parameters
    ----------
    store : Location
    data_set, name : str
        Which array; only of `fma` is anything known.

    Returns
    -------
    dict or None
        `DefectReport` as JSON values; None where the array does not hold nearly all of fma_small.
    """
    known = fma_small()
    if data_set != known.data_set:
        return None
    rows = current_rows(FeatureStore.open(store, data_set=data_set, name=name).rows())
    if len(rows) < len(known.defects):
        return None
    for catalogue in _newest_first(store, data_set):
        report = compare_defects(known, rows, catalogue)
        if report is not None:
            return report.to_dict()
    return None


def _newest_first(store: Location, data_set: str) -> list[pd.DataFrame]:
    """Read the data set's catalogues; `genre status` passes over damaged ones, and so does this."""
    found = []
    for catalogue_id in catalogue_ids(store):
        if catalogue_id.rpartition("-")[0] == data_set:
            with contextlib.suppress(NotFound, Damaged):
                found.append(read_catalogue(store, catalogue_id))
    return sorted(found, key=lambda each: str(each.attrs.get("written", "")), reverse=True)
