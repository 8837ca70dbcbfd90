"""MTG-Jamendo: tab-separated tables of tracks with several tags each, and numbered folders.

    data/autotagging_genre.tsv               or raw_30s.tsv; in the folder itself, too
    data/splits/split-0/autotagging_genre-train.tsv, -validation.tsv, -test.tsv    where they are
    data/raw.meta.tsv                        names of tracks and artists, where it is
    14/214.mp3, raw_30s/14/214.low.mp3       the audio, in whatever folder

A line is `TRACK_ID ARTIST_ID ALBUM_ID PATH DURATION TAGS…`, as `track_0000214 … genre---punkrock`.
Of several genres the first that the table of genres knows is taken.

Bogdanov et al., "The MTG-Jamendo Dataset for Automatic Music Tagging", ML4MD at ICML 2019; the form
is that of https://github.com/MTG/mtg-jamendo-dataset.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

import pandas as pd

from genre_model.data.audio_suffixes import is_tried
from genre_model.data.catalogue import COLUMNS, GIVEN, Catalogue
from genre_model.data.folder import CatalogueOptions, DataFolder
from genre_model.data.left_out import LeftOut, Passed
from genre_model.data.remedies import Remedies
from genre_model.data.tags.genre_map import built_in_map
from genre_model.errors import CatalogueError

_TABLES = tuple(
    f"{below}{name}.tsv" for name in ("autotagging_genre", "raw_30s") for below in ("data/", "")
)
_SPLIT_FILES = {"train": "training", "validation": "validation", "test": "test"}
LOOKS_FOR = "data/autotagging_genre.tsv or data/raw_30s.tsv (MTG-Jamendo's layout)"
_HEADER = "TRACK_ID\tARTIST_ID\tALBUM_ID\tPATH"
_GENRE, _NUMBER = "genre---", re.compile(r"[a-z]+_([0-9]{1,12})")


@dataclass(frozen=True, kw_only=True)
class _Line:
    """One track of a table."""

    track: int
    artist: int
    album: int
    path: str
    genres: tuple[str, ...]


def remedies(subset: str) -> Remedies:  # noqa: ARG001 - there is one only
    """Say what helps: another table, or another map."""
    return Remedies(
        genres="use MTG-Jamendo's autotagging_genre.tsv, or map fewer genres to one by --genre-map",
        split="use MTG-Jamendo's own splits, or a table with more artists",
    )


def fits(folder: DataFolder) -> bool:
    """Return whether the folder has one of the tables."""
    return _table(folder) is not None


def lacks(folder: DataFolder) -> str | None:  # noqa: ARG001 - nothing but the tables tells it
    """Return None: only its tables tell such a folder."""
    return None


def check(folder: DataFolder, *, options: CatalogueOptions) -> None:
    """Refuse `subset`, which it does not have.

    Raises
    ------
    CatalogueError
    """
    options.refuse_subset(f"{folder.uri} has MTG-Jamendo's")


def catalogue(folder: DataFolder, *, options: CatalogueOptions) -> Catalogue:
    """Read the table, and give each track its genre and the path of its audio.

    Raises
    ------
    CatalogueError
        If a line of it is not what it should be.
    """
    table = _table(folder) or _TABLES[0]
    lines = list(_lines(_text(folder, table), name=f"{folder.uri}/{table}"))
    splits = None if options.split_by else _splits(folder, table)
    names = _names(folder, table)
    genre_map = options.genre_map or built_in_map()
    chosen = [(line, genre) for line in lines if (genre := genre_map.choose(line.genres))]
    kept = [(line, genre) for line, genre in chosen if splits is None or line.track in splits]
    audio = {_key(path): path for path in sorted(filter(is_tried, folder.files()), reverse=True)}
    located = {line.track: audio.get(_key(line.path), line.path) for line, _ in kept}
    others = sorted(set(folder.files()).difference(located.values()))
    without = Passed(reason="no_split", files=len(chosen) - len(kept))
    left_out = LeftOut.of(others, folder.oddities())
    return Catalogue(
        data_set="mtg-jamendo",
        subset="full",
        tracks=_tracks(kept, located, splits or {}, names),
        unlabelled=len(lines) - len(chosen),
        left_out=LeftOut(**{**vars(left_out), "passed": (without,) if without.files else ()}),
        several_genres=sum(len(line.genres) > 1 for line, _ in kept),
    )


def _table(folder: DataFolder) -> str | None:
    there = frozenset(folder.files())
    return next((name for name in _TABLES if name in there), None)


def _text(folder: DataFolder, name: str) -> str:
    try:
        return folder.read(name).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CatalogueError(
            f"{folder.uri}/{name} is not UTF-8 text ({error.reason}); download it anew"
        ) from error


def _lines(text: str, *, name: str) -> Iterator[_Line]:
    header, *rest = text.splitlines()
    if not header.upper().startswith(_HEADER):
        raise CatalogueError(
            f"{name} is no table of MTG-Jamendo: its first line must begin with "
            f"{_HEADER.replace(chr(9), ', ')}, parted by tabs; download it anew"
        )
    seen: dict[int, int] = {}
    for number, line in enumerate(rest, start=2):
        cells = line.split("\t")
        ids = [_NUMBER.fullmatch(cell) for cell in cells[:3]]
        if not line.strip():
            continue
        if len(cells) < 5 or not all(ids) or not cells[3]:
            raise CatalogueError(
                f"{name} has no track in line {number} (TRACK_ID, ARTIST_ID, ALBUM_ID, PATH, "
                "DURATION and tags, parted by tabs); download it anew"
            )
        track, artist, album = (int(each[1]) for each in ids if each)
        if (before := seen.setdefault(track, number)) != number:
            raise CatalogueError(
                f"{name} names track {track} in line {before} and in line {number}; keep one"
            )
        tags = tuple(tag.removeprefix(_GENRE) for tag in cells[5:] if tag.startswith(_GENRE))
        yield _Line(track=track, artist=artist, album=album, path=cells[3], genres=tags)


def _splits(folder: DataFolder, table: str) -> Mapping[int, str] | None:
    """Read the tables' own splits; None where they are not all there."""
    below = PurePosixPath(table).parent / "splits" / "split-0"
    files = {
        str(below / f"{PurePosixPath(table).stem}-{word}.tsv"): split
        for word, split in _SPLIT_FILES.items()
    }
    if not set(files) <= set(folder.files()):
        return None
    return {
        line.track: split
        for name, split in files.items()
        for line in _lines(_text(folder, name), name=f"{folder.uri}/{name}")
    }


def _names(folder: DataFolder, table: str) -> Mapping[int, tuple[str, str]]:
    """Read title and artist of each track, where the table of names is."""
    name = str(PurePosixPath(table).parent / "raw.meta.tsv")
    if name not in folder.files():
        return {}
    rows = (line.split("\t") for line in _text(folder, name).splitlines()[1:])
    known = ((_NUMBER.fullmatch(cells[0]), cells) for cells in rows if len(cells) > 4)
    return {int(found[1]): (cells[3], cells[4]) for found, cells in known if found}


def _key(path: str) -> str:
    """Name audio by its last folder and its number: `audio/14/214.low.mp3` is `14/214`."""
    last = "/".join(path.split("/")[-2:])
    return last.rpartition(".")[0].removesuffix(".low")


def _tracks(
    kept: list[tuple[_Line, str]],
    located: Mapping[int, str],
    splits: Mapping[int, str],
    names: Mapping[int, tuple[str, str]],
) -> pd.DataFrame:
    lines = [line for line, _ in kept]
    unknown = ("", "")
    texts = {
        "path": [located[line.track] for line in lines],
        "genre": [genre for _, genre in kept],
        "split": [splits.get(line.track, pd.NA) for line in lines],
        "title": [names.get(line.track, unknown)[0] or pd.NA for line in lines],
        "artist": [names.get(line.track, unknown)[1] or pd.NA for line in lines],
        "license": [pd.NA] * len(lines),
    }
    columns = {name: pd.Series(values, dtype="str") for name, values in texts.items()}
    tracks = pd.DataFrame(columns).assign(
        track_id=[line.track for line in lines],
        subset="full",
        artist_id=pd.array([line.artist for line in lines], dtype="Int64"),
        album_id=pd.array([line.album for line in lines], dtype="Int64"),
        genre_source=GIVEN,
    )
    return tracks.sort_values("track_id", ignore_index=True)[list(COLUMNS)]
