"""What a path alone decides: a track's number, and its split where the data brings none.

Both come from the sha256 of the path relative to the data folder, so that they stay when other
files come and go. Composed and decomposed letters (é) count as the same.
"""

from __future__ import annotations

import hashlib
import unicodedata

import pandas as pd

VALIDATION_FROM, TEST_FROM = 0.8, 0.9
"""Where on [0, 1) a track's hash puts it into validation and test: shares of 80, 10 and 10 %."""

# Ids fit a double, so that JSON, JavaScript and float columns keep them; 100,000 tracks collide
# with a chance of one in a million.
_ID_BITS = 53


def track_id(path: str) -> int:
    """Give a track a number by its path alone, so that it keeps its number when files come and go.

    Parameters
    ----------
    path : str
        Relative to the data folder; composed and decomposed letters (é) count as the same.

    Returns
    -------
    int [0 to 2**53 - 1]
        The first 53 bits of the path's sha256.
    """
    return int.from_bytes(_digest(path)[:8], "big") >> (64 - _ID_BITS)


def place(path: str) -> float:
    """Place a track on [0, 1) by bits of its path's hash that are not in its number."""
    return int.from_bytes(_digest(path)[8:12], "big") / 2**32


def split_by_place(places: pd.Series[float]) -> pd.Series[str]:
    """Split one genre's tracks by their place on [0, 1).

    A place above a border decides, whatever other tracks there are. Only the lowest is always
    trained on, and where a genre would have none for test (of two tracks or more), its highest one
    is taken; where none for validation (of three), the highest of those that are left, or the
    lowest test track. So a track that is trained on never leaves training when tracks are added,
    unless it was the only one of its genre.

    Parameters
    ----------
    places : pd.Series [shape=(tracks,), float, 0 to 1]
        As `place` gives them, at least one.

    Returns
    -------
    pd.Series [shape=(tracks,), text]
        One of `SPLITS` each, under the same index.
    """
    ranked = places.sort_values(kind="stable")
    splits = pd.Series("training", index=ranked.index)
    splits[ranked >= VALIDATION_FROM] = "validation"
    splits[ranked >= TEST_FROM] = "test"
    splits.iloc[0] = "training"
    if len(splits) > 1 and not (splits == "test").any():
        splits.iloc[-1] = "test"
    if len(splits) > 2 and not (splits == "validation").any():
        splits.iloc[max(int((splits == "training").sum()) - 1, 1)] = "validation"
    return splits.reindex(places.index)


def composed(text: str) -> str:
    """Write letters with marks as one character each (Unicode's form NFC)."""
    return unicodedata.normalize("NFC", text)


def _digest(path: str) -> bytes:
    return hashlib.sha256(composed(path).encode("utf-8", "surrogateescape")).digest()
