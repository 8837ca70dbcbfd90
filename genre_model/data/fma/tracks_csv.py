"""FMA's `tracks.csv`: two header lines, an index line, 52 columns, one line a track."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import pandas as pd

from genre_model.data.subsets import SUBSETS
from genre_model.data.tables.csv_lines import line_of_record, other_separator
from genre_model.errors import CatalogueError
from genre_model.specs import SPLITS

COLUMNS: tuple[tuple[str, str], ...] = tuple(
    (level, name)
    for level, names in (
        (
            "album",
            "comments date_created date_released engineer favorites id information listens "
            "producer tags title tracks type",
        ),
        (
            "artist",
            "active_year_begin active_year_end associated_labels bio comments date_created "
            "favorites id latitude location longitude members name related_projects tags website "
            "wikipedia_page",
        ),
        ("set", "split subset"),
        (
            "track",
            "bit_rate comments composer date_created date_recorded duration favorites genre_top "
            "genres genres_all information interest language_code license listens lyricist number "
            "publisher tags title",
        ),
    )
    for name in names.split()
)
"""FMA's 52 columns in their order, without the index: (first header line, second header line)."""

# The flat name of each column that is read, where it stands in FMA's header.
_READ = {
    "split": ("set", "split"),
    "subset": ("set", "subset"),
    "genre_top": ("track", "genre_top"),
    "artist_id": ("artist", "id"),
    "artist": ("artist", "name"),
    "album_id": ("album", "id"),
    "title": ("track", "title"),
    "license": ("track", "license"),
    "duration": ("track", "duration"),
    "bit_rate": ("track", "bit_rate"),
    "genres": ("track", "genres"),
}
_OPTIONAL = ("genres",)
_NUMBERS = ("artist_id", "album_id", "duration", "bit_rate")
# A header line of FMA has about 600 bytes; a file without line ends is not read to its end for one.
_LONGEST_HEADER_LINE = 65_536
_HEADER_LINES = 3
_REMEDY = "use the tracks.csv of FMA's fma_metadata"


def read_tracks(
    source: str | os.PathLike[str] | bytes | BinaryIO, *, name: str | None = None
) -> pd.DataFrame:
    """Read FMA's `tracks.csv` into a flat frame of the columns that this project needs.

    Only those columns are parsed, all as text first, so that columns of mixed types neither warn
    nor cost memory: the full file's 106,574 tracks (250 MB) take a few seconds.

    Parameters
    ----------
    source : path, bytes or binary file object
        The file; a file object is read once from where it stands, never sought in.
    name : str, optional
        What errors call the file; by default its path, or `tracks.csv`.

    Returns
    -------
    pd.DataFrame
        One line a track in the file's order: `track_id` int64; `split` (one of `SPLITS`), `subset`
        (one of `SUBSETS`), `genre_top`, `artist`, `title`, `license` as text; `artist_id`,
        `album_id`, `duration` [s] and `bit_rate` [bit/s] as Int64; `genres`, the text of a Python
        list of genre ids. What is empty, or no number where one should be, is NA.

    Raises
    ------
    CatalogueError
        If the file cannot be read, is not UTF-8, has not FMA's header, names no track or one track
        twice, or has a split or subset that FMA does not know.

    References
    ----------
    Defferrard et al., "FMA: A Dataset For Music Analysis", ISMIR 2017; the form of the file is
    that of https://github.com/mdeff/fma.
    """
    if isinstance(source, bytes):
        return _read(source, name=name or "tracks.csv")
    if not isinstance(source, str | os.PathLike):
        return _read(source.read(), name=name or str(getattr(source, "name", "tracks.csv")))
    name = name or os.fspath(source)
    with _opened(Path(source), name=name) as file:
        return _read(file.read(), name=name)


def check_header(path: str | os.PathLike[str]) -> None:
    """Refuse a file that has not the header of FMA's tracks.csv; its tracks are not read.

    Raises
    ------
    CatalogueError
        As `read_tracks`, by the first three lines alone.
    """
    name = os.fspath(path)
    with _opened(Path(path), name=name) as file, _as_text(name=name):
        _positions(_header(file), name=name)


@contextmanager
def _opened(path: Path, *, name: str) -> Iterator[BinaryIO]:
    try:
        with path.open("rb") as file:
            yield file
    except OSError as error:
        reason = error.strerror or str(error)
        raise CatalogueError(f"{name} cannot be read ({reason}); {_REMEDY}.") from error


@contextmanager
def _as_text(*, name: str) -> Iterator[None]:
    try:
        yield
    except UnicodeDecodeError as error:
        raise CatalogueError(f"{name} is not UTF-8 text ({error.reason}); {_REMEDY}.") from error


def _read(content: bytes, *, name: str) -> pd.DataFrame:
    """Read the header lines, then the needed columns by their position."""
    file = io.BytesIO(content)
    with _as_text(name=name):
        positions = _positions(_header(file), name=name)
        text = _text_columns(file, positions, name=name)
    tracks = text.assign(
        track_id=_track_ids(text["track_id"], content, name=name),
        **{column: _whole_numbers(text[column]) for column in _NUMBERS},
    )
    _check_values(tracks, "split", SPLITS, name=name)
    _check_values(tracks, "subset", SUBSETS, name=name)
    return tracks.reindex(columns=["track_id", *_READ])


def _header(file: BinaryIO) -> list[str]:
    """Read the three header lines; those that are not there are empty."""
    lines = (file.readline(_LONGEST_HEADER_LINE) for _ in range(_HEADER_LINES))
    return [line.decode("utf-8-sig") for line in lines]


def _positions(header: list[str], *, name: str) -> dict[str, int]:
    """Give each needed column its position in a line of the file, the index being 0."""
    for line in header:
        if (separator := other_separator(line, columns=("track_id", "genre_top"))) is not None:
            raise CatalogueError(
                f"{name} has {separator} between its columns, where FMA's tracks.csv has commas; "
                f"save it with commas, or {_REMEDY}."
            )
    levels, names, index = (next(csv.reader([line]), []) for line in header)
    if index[:1] != ["track_id"]:
        raise CatalogueError(
            f"{name} is not FMA's tracks.csv: its third line does not begin with 'track_id' "
            f"(the form has two header lines and an index line); {_REMEDY}."
        )
    found = {pair: place for place, pair in enumerate(zip(levels, names, strict=False))}
    missing = [
        ".".join(pair)
        for column, pair in _READ.items()
        if pair not in found and column not in _OPTIONAL
    ]
    if missing:
        columns = "column" if len(missing) == 1 else "columns"
        raise CatalogueError(
            f"{name} is not FMA's tracks.csv: its header lacks the {columns} "
            f"{', '.join(missing)}; {_REMEDY}."
        )
    return {"track_id": 0} | {
        column: found[pair] for column, pair in _READ.items() if pair in found
    }


def _text_columns(file: BinaryIO, positions: dict[str, int], *, name: str) -> pd.DataFrame:
    """Parse what follows the header; every needed column as text, empty cells as NA."""
    # pandas names the columns of a headerless file by their positions, and keeps the file's order.
    try:
        frame = pd.read_csv(
            file,
            header=None,
            usecols=list(positions.values()),
            dtype=str,
            encoding="utf-8",
            # An artist may be called "NA", "None" or "null": only an empty cell is missing.
            keep_default_na=False,
            na_values=[""],
        )
    except pd.errors.EmptyDataError as error:
        raise CatalogueError(f"{name} names no track after its header; {_REMEDY}.") from error
    except ValueError as error:
        if isinstance(error, UnicodeDecodeError):
            raise
        reason = " ".join(str(error).split())
        raise CatalogueError(f"{name} is damaged or cut off ({reason}); {_REMEDY}.") from error
    return frame.rename(columns={place: column for column, place in positions.items()})


def _track_ids(text: pd.Series[str], content: bytes, *, name: str) -> pd.Series[int]:
    """Turn the index column into int64, each whole number once."""

    def line(record: int) -> str:
        found = line_of_record(content, record, header_lines=_HEADER_LINES)
        return f"line {found}" if found else f"track {record + 1} behind the header"

    wrong = ~text.str.fullmatch(r"[0-9]{1,9}").fillna(False).astype(bool)
    if wrong.any():
        raise CatalogueError(
            f"{name} has in {line(int(wrong.argmax()))} the track id "
            f"{_quoted(text[wrong].iloc[0])} where a whole number of at most nine digits must "
            f"stand; mend that line, or {_REMEDY}."
        )
    track_ids = text.astype("int64")
    twice = track_ids.duplicated()
    if twice.any():
        track = track_ids[twice].iloc[0]
        first, again, *_ = (track_ids == track).to_numpy().nonzero()[0].tolist()
        raise CatalogueError(
            f"{name} names track {track} more than once, in {line(first)} and in {line(again)}; "
            "keep one of them."
        )
    return track_ids


def _whole_numbers(text: pd.Series[str]) -> pd.Series[int]:
    """Turn a column that decides nothing into Int64; what is no number becomes NA."""
    return pd.to_numeric(text, errors="coerce").round().astype("Int64")


def _check_values(tracks: pd.DataFrame, column: str, known: Iterable[str], *, name: str) -> None:
    """Refuse a split or subset that FMA does not have."""
    wrong = tracks.loc[~tracks[column].isin(list(known)), ["track_id", column]]
    if len(wrong):
        raise CatalogueError(
            f"{name} gives track {wrong['track_id'].iloc[0]} the {column} "
            f"{_quoted(wrong[column].iloc[0])}; it must be one of {', '.join(known)}."
        )


def _quoted(cell: object) -> str:
    """Quote a cell for a sentence; an empty one as ''."""
    return "''" if pd.isna(cell) else repr(str(cell))  # type: ignore[call-overload]
