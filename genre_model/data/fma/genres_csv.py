"""FMA's `genres.csv`, and top genres derived from it where `tracks.csv` names none."""

from __future__ import annotations

import ast
import io
from collections.abc import Mapping

import pandas as pd

from genre_model.data.catalogue import DERIVED, GIVEN
from genre_model.data.tables.csv_lines import line_of_record, other_separator
from genre_model.errors import CatalogueError

_COLUMNS = ("genre_id", "title", "top_level")
_REMEDY = "use the genres.csv of FMA's fma_metadata, or remove it (then no genre is derived)"


def read_genres(content: bytes, *, name: str = "genres.csv") -> dict[int, str]:
    """Read which top genre each of FMA's 163 genres belongs to.

    Parameters
    ----------
    content : bytes
        The file: a header line, then a line a genre; of its columns `genre_id`, `title` and
        `top_level` (the id of the genre's root) are read.
    name : str
        What errors call the file.

    Returns
    -------
    dict[int, str]
        Genre id -> title of its root: 25 (Punk) -> `Rock`.

    Raises
    ------
    CatalogueError
        If it is no such file, names a genre twice, or a root that it does not have.

    References
    ----------
    The form of the file is that of https://github.com/mdeff/fma.
    """
    table = _text(content, name=name).fillna("")
    lacking = [column for column in _COLUMNS if column not in table.columns]
    if lacking:
        first = content.partition(b"\n")[0].decode("utf-8-sig", "replace")
        if (separator := other_separator(first, columns=_COLUMNS)) is not None:
            raise CatalogueError(
                f"{name} has {separator} between its columns, where FMA's genres.csv has commas; "
                f"save it with commas, or {_REMEDY}."
            )
        raise CatalogueError(
            f"{name} is not FMA's genres.csv: its header lacks {', '.join(lacking)}; {_REMEDY}."
        )
    titles: dict[int, str] = {}
    roots: dict[int, int] = {}
    cells = zip(*(table[column] for column in _COLUMNS), strict=True)
    for record, (genre_id, title, top_level) in enumerate(cells):
        if not (_is_number(genre_id) and _is_number(top_level) and title):
            line = line_of_record(content, record, header_lines=1)
            raise CatalogueError(
                f"{name} has{f' in line {line}' if line else ''} the genre id {genre_id!r}, the "
                f"title {title!r} and the top level {top_level!r}, where two whole "
                f"numbers and a title must stand; {_REMEDY}."
            )
        genre = int(genre_id)
        if genre in titles:
            raise CatalogueError(f"{name} names genre {genre} more than once; {_REMEDY}.")
        titles[genre], roots[genre] = title, int(top_level)
    for genre, root in roots.items():
        if root not in titles:
            raise CatalogueError(
                f"{name} gives genre {genre} the top level {root}, which it does not have; "
                f"{_REMEDY}."
            )
    return {genre: titles[root] for genre, root in roots.items()}


def derive_genres(tracks: pd.DataFrame, top_genres: Mapping[int, str]) -> pd.DataFrame:
    """Fill in the top genre of tracks that have none, where all their genres share one root.

    Nothing is guessed: a track whose genres have different roots, no genres, a genre that
    genres.csv does not have, or a cell that is no list of numbers, stays without one.

    Parameters
    ----------
    tracks : pd.DataFrame
        As `read_tracks` returns it: `genre_top` (NA where there is none) and `genres` (text of a
        Python list of genre ids, such as `[25, 89]`; may be NA).
    top_genres : Mapping[int, str]
        As `read_genres` returns it.

    Returns
    -------
    pd.DataFrame
        The same tracks with `genre_top` filled in, and `genre_source`: `GIVEN` or `DERIVED`.
    """
    without = tracks["genre_top"].isna()
    cells = tracks.loc[without, "genres"]
    # 57,000 of FMA's tracks have no top genre, in a few thousand different lists.
    roots = {cell: _only_root(cell, top_genres) for cell in cells.dropna().unique()}
    derived = cells.map(roots).dropna()
    genre_top, source = tracks["genre_top"].copy(), pd.Series(GIVEN, index=tracks.index)
    genre_top.loc[derived.index] = derived
    source.loc[derived.index] = DERIVED
    return tracks.assign(genre_top=genre_top, genre_source=source)


def _only_root(cell: str, top_genres: Mapping[int, str]) -> str | None:
    """Name the root that all genres of a cell share, None if there is no such."""
    try:
        genres = ast.literal_eval(cell)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None
    if not isinstance(genres, list) or not all(type(genre) is int for genre in genres):
        return None
    roots = {top_genres.get(genre) for genre in genres}
    return roots.pop() if len(roots) == 1 else None


def _text(content: bytes, *, name: str) -> pd.DataFrame:
    try:
        return pd.read_csv(
            io.BytesIO(content), dtype=str, encoding="utf-8-sig", keep_default_na=False
        )
    except UnicodeDecodeError as error:
        raise CatalogueError(f"{name} is not UTF-8 text ({error.reason}); {_REMEDY}.") from error
    except ValueError as error:
        reason = " ".join(str(error).split())
        raise CatalogueError(f"{name} is not FMA's genres.csv ({reason}); {_REMEDY}.") from error


def _is_number(cell: str) -> bool:
    return cell.isascii() and cell.isdigit() and len(cell) < 10
