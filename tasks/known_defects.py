"""Known defects of a data set, compared with what a store's arrays hold of it."""

from __future__ import annotations

import contextlib

import pandas as pd

from genre_model.data.known_defects import DefectReport, compare_defects, fma_small
from storage.array.feature_array import FeatureArray
from storage.array.tables import current_rows
from storage.errors import Damaged, NotFound
from storage.store import Store


def report_known_defects(store: Store, array: FeatureArray) -> DefectReport | None:
    """Compare one array's rows with the defects that are known of its data set.

    Parameters
    ----------
    store : Store
    array : FeatureArray
        Only of `fma` is anything known.

    Returns
    -------
    DefectReport or None
        None where the array does not hold nearly all of fma_small.
    """
    known = fma_small()
    if array.data_set != known.data_set:
        return None
    rows = current_rows(array.rows())
    if len(rows) < len(known.defects):
        return None
    for catalogue in _newest_first(store, array.data_set):
        report = compare_defects(known, rows, catalogue)
        if report is not None:
            return report
    return None


def _newest_first(store: Store, data_set: str) -> list[pd.DataFrame]:
    """Read the data set's catalogues; `genre status` passes over damaged ones, and so does this."""
    found = []
    for catalogue_id in store.catalogues.ids():
        if catalogue_id.rpartition("-")[0] == data_set:
            with contextlib.suppress(NotFound, Damaged):
                found.append(store.catalogues.read(catalogue_id))
    return sorted(found, key=lambda each: str(each.attrs.get("written", "")), reverse=True)
