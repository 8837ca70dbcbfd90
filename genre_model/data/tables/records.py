"""Tables that people write, as records of text with the lines that they stand in.

CSV        UTF-8 with or without a byte order mark, or UTF-16 with one; commas, semicolons, tabs or
           bars; any line ends; Excel's first line `sep=;` is passed over
Parquet    any columns
JSON lines an object a line
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from genre_model.errors import CatalogueError

SUFFIXES = (".csv", ".tsv", ".parquet", ".jsonl")
_MARKS = ",;\t|"
_LONGEST_CELL = 2**20


@dataclass(frozen=True, kw_only=True)
class Records:
    """A table's lines.

    Attributes
    ----------
    columns : tuple[str, ...]
        In lower case, without spaces around.
    records : tuple[Mapping[str, str], ...]
        Column -> text, empty where there is none.
    lines : tuple[int, ...]
        Where each begins, from 1; of Parquet the row's number.
    wrong : tuple[tuple[int, str], ...]
        Lines that are no records, and why.
    """

    columns: tuple[str, ...]
    records: tuple[Mapping[str, str], ...]
    lines: tuple[int, ...]
    wrong: tuple[tuple[int, str], ...] = field(default=())


def read_records(content: bytes, *, name: str, columns: Collection[str]) -> Records:
    """Read a table by the suffix of its name.

    Parameters
    ----------
    content : bytes
    name : str
        Its address, for sentences.
    columns : collection of str
        That it must have.

    Raises
    ------
    CatalogueError
        If it is no such table, or lacks one of the columns.
    """
    suffix = PurePosixPath(name).suffix.lower()
    read = {".parquet": _parquet, ".jsonl": _json_lines}.get(suffix, _csv)
    found = read(content, name)
    lacking = [each for each in columns if each not in found.columns]
    if lacking:
        has = ", ".join(found.columns[:12]) or "none"
        raise CatalogueError(
            f"{name} lacks the column{'s' * bool(lacking[1:])} {', '.join(lacking)} (its columns: "
            f"{has}); its first line must name the columns"
        )
    return found


def has_columns(content: bytes, columns: Collection[str]) -> bool:
    """Return whether a text is a CSV with these columns, by its first lines."""
    try:
        lines = _text(content, name="").lstrip("\r\n").splitlines()[:2]
    except CatalogueError:
        return False
    headers = (line.split(_mark(line)) for line in lines)
    return any(set(columns) <= {each.strip(' "').lower() for each in cells} for cells in headers)


def _csv(content: bytes, name: str) -> Records:
    text = _text(content, name=name)
    first, _, _ = text.partition("\n")
    skipped = 1 if first.strip().lower().startswith("sep=") else 0
    rest = text.split("\n", skipped)[skipped] if skipped and "\n" in text else text
    mark = _mark(rest.lstrip("\r\n").partition("\n")[0])
    csv.field_size_limit(_LONGEST_CELL)
    lines = csv.reader(io.StringIO(rest, newline=""), delimiter=mark)
    header: tuple[str, ...] = ()
    records, numbers, wrong, begin = [], [], [], 1 + skipped
    try:
        for cells in lines:
            if any(cell.strip() for cell in cells):
                if not header:
                    header = tuple(cell.strip().lower() for cell in cells)
                elif len(cells) > len(header) and any(map(str.strip, cells[len(header) :])):
                    wrong.append((begin, f"has {len(cells)} cells for {len(header)} columns"))
                else:
                    plain = (cell.strip().replace("\r\n", "\n") for cell in cells)
                    padded = [*plain, *[""] * (len(header) - len(cells))]
                    records.append(dict(zip(header, padded, strict=False)))
                    numbers.append(begin)
            begin = 1 + skipped + lines.line_num
    except csv.Error as error:
        raise CatalogueError(
            f"{name} cannot be read from line {begin} on ({error}); mend that line"
        ) from error
    return Records(columns=header, records=tuple(records), lines=tuple(numbers), wrong=tuple(wrong))


def _text(content: bytes, *, name: str) -> str:
    wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return content.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise CatalogueError(
            f"{name} is not UTF-8 text (line {line}); save it as UTF-8, in Excel as `CSV UTF-8`"
        ) from error


def _mark(header: str) -> str:
    """Say by what the cells of a header are parted: the names of columns hold no such mark."""
    return max(_MARKS, key=header.count)


def _parquet(content: bytes, name: str) -> Records:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(io.BytesIO(content), pre_buffer=False) as file:
            table = file.read(use_threads=False)
    except (pa.ArrowException, OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise CatalogueError(f"{name} is no Parquet table ({reason}); write it anew") from error
    header = tuple(each.strip().lower() for each in table.column_names)
    cells = zip(*(map(_cell, column.to_pylist()) for column in table.columns), strict=True)
    records = tuple(dict(zip(header, line, strict=True)) for line in cells)
    return Records(columns=header, records=records, lines=tuple(range(1, len(records) + 1)))


def _json_lines(content: bytes, name: str) -> Records:
    records, numbers, wrong, header = [], [], [], dict[str, None]()
    for number, line in enumerate(_text(content, name=name).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            wrong.append((number, "is no JSON object"))
            continue
        record = {str(key).strip().lower(): _cell(value) for key, value in found.items()}
        header.update(dict.fromkeys(record))
        records.append(record)
        numbers.append(number)
    return Records(
        columns=tuple(header), records=tuple(records), lines=tuple(numbers), wrong=tuple(wrong)
    )


def _cell(value: object) -> str:
    """Write a value as a cell of a CSV has it."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    whole = isinstance(value, float) and value.is_integer()
    return str(int(value) if whole else value).strip()  # type: ignore[call-overload]
