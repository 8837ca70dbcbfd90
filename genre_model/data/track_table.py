"""A table that names files and their genres, written by hand, by Excel or by a program.

    path;genre;artist;split            tracks.csv: also .tsv, .parquet, .jsonl
    rock/song.mp3;Rock;Somebody;       relative to the table's folder
    /music/other.flac;Jazz;;           absolute
    s3://bucket/third.ogg;Jazz;;       or elsewhere

`path` and `genre` are needed; `split`, `artist`, `album`, `title`, `track_id`, `license` may be
there. `--data` names the table, or a folder with one that is called `tracks`.
"""

from __future__ import annotations

from pathlib import PurePosixPath

from genre_model.data.catalogue import Catalogue
from genre_model.data.folder import CatalogueOptions, DataFolder
from genre_model.data.naming import data_set_name
from genre_model.data.remedies import Remedies
from genre_model.data.tables.records import SUFFIXES, has_columns, read_records
from genre_model.data.tables.track_rows import NEEDED, tracks_of
from genre_model.errors import CatalogueError

LOOKS_FOR = "a table tracks.csv with the columns path and genre"
_STEM = "tracks"


def remedies(subset: str) -> Remedies:  # noqa: ARG001 - there is one only
    """Say what helps: more rows."""
    return Remedies(
        genres="add rows of another genre to the table",
        split="add rows to the table, or name that split in its column split",
    )


def fits(folder: DataFolder) -> bool:
    """Return whether the address is a table, or a folder with one of this form."""
    if _is_table(folder):
        return True
    found = _tables(folder)
    return any(
        not name.endswith((".csv", ".tsv")) or has_columns(folder.read(name), NEEDED)
        for name in found
    )


def lacks(folder: DataFolder) -> str | None:
    """Say that a table is not there, where one is named."""
    if PurePosixPath(folder.uri).suffix.lower() not in SUFFIXES:
        return None
    return None if folder.folders() else "is not there; name a table, or the folder that has it"


def check(folder: DataFolder, *, options: CatalogueOptions) -> None:
    """Refuse what a table has not, and two tables in one folder.

    Raises
    ------
    CatalogueError
    """
    options.refuse_subset(f"{folder.uri} is a table")
    if not _is_table(folder) and len(found := _tables(folder)) > 1:
        raise CatalogueError(
            f"{folder.uri} has {len(found)} tables, {' and '.join(found)}; name one of them"
        )


def catalogue(folder: DataFolder, *, options: CatalogueOptions) -> Catalogue:
    """Read the table.

    Raises
    ------
    CatalogueError
        If it is none, or its rows are wrong.
    """
    name = "" if _is_table(folder) else _tables(folder)[0]
    address = f"{folder.uri}/{name}" if name else folder.uri
    records = read_records(folder.read(name), name=address, columns=NEEDED)
    tracks, unlabelled = tracks_of(records, name=address)
    if options.split_by is not None and tracks["split"].notna().any():
        raise CatalogueError(
            f"--split-by {options.split_by} is for data without splits, and {address} has a column "
            "split; leave --split-by out, or empty the column"
        )
    return Catalogue(
        data_set=_data_set(PurePosixPath(address)),
        subset="full",
        tracks=tracks,
        unlabelled=unlabelled,
    )


def _data_set(table: PurePosixPath) -> str:
    """Name it after the table, or after the folder of one that is called as they all are."""
    return data_set_name(table.parent.name if table.stem.lower() == _STEM else table.stem)


def _is_table(folder: DataFolder) -> bool:
    return PurePosixPath(folder.uri).suffix.lower() in SUFFIXES and folder.has("")


def _tables(folder: DataFolder) -> list[str]:
    there = frozenset(folder.files())
    return [name for suffix in SUFFIXES if (name := f"{_STEM}{suffix}") in there]
