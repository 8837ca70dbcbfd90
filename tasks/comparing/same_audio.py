"""Which rows hold the same audio."""

from __future__ import annotations

import pandas as pd

from genre_model.signal.status import Status


def windows_hash(rows: pd.DataFrame) -> pd.Series:
    """Say by what equal windows are known.

    Equal windows of one frontend compress to equal bytes, known by size and crc32c. Near-silent
    clips, whose windows are at the floor, are alike without being the same.

    Parameters
    ----------
    rows : pd.DataFrame
        Of `current_rows`.

    Returns
    -------
    pd.Series
        Of texts, on the rows' index; empty where nothing can be told.
    """
    is_loud = rows["status"].isin([Status.OK, Status.PARTIAL]) & (rows["checksum"] != "")
    hashes = rows["stored"].astype(str) + "-" + rows["checksum"].astype(str)
    return hashes.where(is_loud, "")
