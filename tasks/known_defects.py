"""Known defects of a data set, compared with what a store's arrays hold of it."""

from __future__ import annotations

from genre_model.data.known_defects import DefectReport, compare_defects, fma_small
from storage.array.feature_array import FeatureArray
from storage.array.tables import current_rows
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
    for catalogue in store.catalogues.of_data_set(array.data_set):
        report = compare_defects(known, rows, catalogue)
        if report is not None:
            return report
    return None
