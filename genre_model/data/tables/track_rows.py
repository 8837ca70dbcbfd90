"""Rows of a table that name tracks: all that is wrong is told at once, by line."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping

import pandas as pd

from genre_model.data.columns import COLUMNS, GIVEN
from genre_model.data.drawing.names import album_number, artist_number
from genre_model.data.drawing.path_hash import composed, track_id
from genre_model.data.tables.records import Records
from genre_model.errors import CatalogueError
from genre_model.specs import SPLITS

NEEDED = ("path", "genre")
OPTIONAL = ("split", "artist", "album", "title", "track_id", "license")
_SPLIT_WORDS = {
    **{split: split for split in SPLITS},
    **dict.fromkeys(("train",), "training"),
    **dict.fromkeys(("valid", "val", "dev"), "validation"),
    **dict.fromkeys(("testing", "eval"), "test"),
}
_LARGEST_ID = 2**53 - 1
_TOLD = 20


def tracks_of(records: Records, *, name: str) -> tuple[pd.DataFrame, int]:
    """Turn a table's records into a catalogue's frame.

    Parameters
    ----------
    records : Records
        With the columns `NEEDED`, and any of `OPTIONAL` (`licence` too).
    name : str
        The table's address, for sentences.

    Returns
    -------
    pd.DataFrame
        As `Catalogue.tracks`; `split` is NA in all where the table has none.
    int
        Rows without a genre, which are left out.

    Raises
    ------
    CatalogueError
        If rows are wrong: one sentence that tells up to twenty of them by line.
    """
    rows = [_row(record) for record in records.records]
    split = any(row["split"] for row in rows)
    wrong = list(records.wrong)
    for row, line in zip(rows, records.lines, strict=True):
        wrong += [(line, why) for why in _faults(row, with_split=split)]
    wrong += _repeated(rows, records.lines)
    if wrong:
        raise CatalogueError(_in_one_sentence(sorted(wrong), name=name))
    labelled = [row for row in rows if row["genre"]]
    if not labelled:
        raise CatalogueError(f"{name} names no track with a genre; fill its column genre")
    return _frame(labelled), len(rows) - len(labelled)


def _row(record: Mapping[str, str]) -> dict[str, str]:
    """Take the known columns, each in the one form that it is compared in."""
    row = {name: record.get(name, "") for name in (*NEEDED, *OPTIONAL)}
    row["license"] = row["license"] or record.get("licence", "")
    word = row["split"].lower()
    return {
        **row,
        "path": _path(row["path"]),
        "genre": composed(" ".join(row["genre"].split())),
        "split": _SPLIT_WORDS.get(word, row["split"]),
    }


def _path(cell: str) -> str:
    """Write a path with forward slashes, without detours; addresses stay as they are."""
    if "://" in cell or not cell:
        return cell
    return posixpath.normpath(cell if "/" in cell else cell.replace("\\", "/"))


def _faults(row: Mapping[str, str], *, with_split: bool) -> Iterable[str]:
    path = row["path"]
    if not path:
        yield "has no path"
    elif "://" in path and not path.lower().startswith(("s3://", "file://")):
        yield f"has the path {path!r}, which is neither a file nor s3://"
    if with_split and row["split"] not in SPLITS:
        found = f"the split {row['split']!r}" if row["split"] else "no split"
        yield f"has {found} (one of {', '.join(SPLITS)})"
    number = row["track_id"]
    if number and not (number.isdecimal() and number.isascii() and int(number) <= _LARGEST_ID):
        yield f"has the track_id {number!r}, which is no whole number from 0 to 2^53 - 1"


def _repeated(rows: list[dict[str, str]], lines: tuple[int, ...]) -> list[tuple[int, str]]:
    """Find rows that name the file, or have the number, of one before."""
    wrong, paths, numbers = [], dict[str, int](), dict[str, int]()
    for row, line in zip(rows, lines, strict=True):
        for column, seen in (("path", paths), ("track_id", numbers)):
            cell = row[column].lstrip("0") or row[column] if column == "track_id" else row[column]
            if cell and (before := seen.setdefault(cell, line)) != line:
                wrong.append((line, f"has the {column} of line {before} ({row[column]})"))
    return wrong


def _in_one_sentence(wrong: list[tuple[int, str]], *, name: str) -> str:
    told = "; ".join(f"line {line} {why}" for line, why in wrong[:_TOLD])
    more = f"; and {len(wrong) - _TOLD:,} more" if len(wrong) > _TOLD else ""
    rows = "1 wrong row" if len(wrong) == 1 else f"{len(wrong):,} faults in its rows"
    return f"{name} has {rows}: {told}{more}; mend {'it' if len(wrong) == 1 else 'them'}"


def _frame(rows: list[dict[str, str]]) -> pd.DataFrame:
    texts = {
        name: pd.Series([row[name] or pd.NA for row in rows], dtype="str")
        for name in ("path", "genre", "split", "artist", "title", "license")
    }
    ids = [int(row["track_id"]) if row["track_id"] else track_id(row["path"]) for row in rows]
    artists = [artist_number(row["artist"]) for row in rows]
    albums = [album_number(row["album"], artist=row["artist"]) for row in rows]
    tracks = pd.DataFrame(texts).assign(
        track_id=ids,
        subset="full",
        artist_id=pd.array(artists, dtype="Int64"),
        album_id=pd.array(albums, dtype="Int64"),
        genre_source=GIVEN,
    )
    return tracks.sort_values("track_id", ignore_index=True)[list(COLUMNS)]
