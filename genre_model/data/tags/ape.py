"""APE tags (versions 1 and 2) at the end of a file, which tinytag does not read.

    … audio │ [header 32] │ item, item, … │ footer 32 │ [ID3v1 128]
                                             "APETAGEX", version, size of items and footer, count

An item is its value's size, flags, a key that ends with a NUL, and the value. Source:
https://wiki.hydrogenaud.io/index.php?title=APEv2_specification
"""

from __future__ import annotations

import os
from typing import BinaryIO

_MARK, _FOOTER, _ID3V1 = b"APETAGEX", 32, 128
_LARGEST_TAG, _MOST_ITEMS = 2**26, 1_000
_LARGEST_VALUE, _LONGEST_KEY = 2**16, 256
_IS_TEXT = 0b110


def read_ape(file: BinaryIO) -> dict[str, tuple[str, ...]]:
    """Read the texts of an APE tag; none if there is no such tag.

    Parameters
    ----------
    file : binary file
        That can be sought.

    Returns
    -------
    dict
        Key in lower case -> its values.
    """
    size = file.seek(0, os.SEEK_END)
    for behind in (0, _ID3V1):
        at = size - behind - _FOOTER
        if at >= 0:
            file.seek(at)
            footer = file.read(_FOOTER)
            if footer.startswith(_MARK):
                return _items(file, footer, end=at)
    return {}


def _items(file: BinaryIO, footer: bytes, *, end: int) -> dict[str, tuple[str, ...]]:
    length = int.from_bytes(footer[12:16], "little") - _FOOTER
    count = min(int.from_bytes(footer[16:20], "little"), _MOST_ITEMS)
    found: dict[str, tuple[str, ...]] = {}
    at = end - length
    if not 0 < length <= min(_LARGEST_TAG, end):
        return found
    for _ in range(count):
        file.seek(at)
        head = file.read(8 + _LONGEST_KEY)
        key, is_whole, _ = head[8:].partition(b"\0")
        size = int.from_bytes(head[:4], "little")
        at += 8 + len(key) + 1 + size
        if not is_whole or at > end:
            break
        if not head[4] & _IS_TEXT and size <= _LARGEST_VALUE:
            file.seek(at - size)
            values = file.read(size).decode("utf-8", "replace").split("\0")
            found[key.decode("ascii", "replace").lower()] = tuple(values)
    return found
