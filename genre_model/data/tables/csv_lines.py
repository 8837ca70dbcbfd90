"""Where in a CSV file something stands, and by what its cells are parted: for sentences."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection

_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars", ":": "colons"}


def other_separator(line: str, *, columns: Collection[str]) -> str | None:
    """Say by what a header's cells are parted, where that is not a comma.

    Parameters
    ----------
    line : str
        A line of the header.
    columns : collection of str
        Names of which one or more stand in such a header as cells.

    Returns
    -------
    str or None
        As `semicolons`; None if none of the columns is there, or commas part them.

    Examples
    --------
    >>> other_separator("track_id;;;", columns=["track_id"])
    'semicolons'
    """
    for mark, name in _SEPARATORS.items():
        cells = [cell.strip().strip("\"'") for cell in line.split(mark)]
        if len(cells) > 1 and not set(columns).isdisjoint(cells):
            return name
    return None


def line_of_record(content: bytes, record: int, *, header_lines: int) -> int | None:
    """Count the lines of a file up to a record, which may follow cells of several lines.

    Parameters
    ----------
    content : bytes
        The file, UTF-8.
    record : int
        From 0, behind the header; empty lines are no records, as for pandas.
    header_lines : int

    Returns
    -------
    int or None
        From 1; None if the csv module reads the file otherwise than pandas does.
    """
    text = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8-sig", newline="")
    for _ in range(header_lines):
        text.readline()
    lines = csv.reader(text)
    try:
        begin = header_lines + 1
        for cells in lines:
            if len(cells) > 1 or (cells and cells[0].strip()):
                if not record:
                    return begin
                record -= 1
            begin = header_lines + 1 + lines.line_num
    except csv.Error:
        return None
    return None
