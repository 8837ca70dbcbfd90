"""Files with tags, in whatever folders: the tags say genre, artist, album and title.

    Artist/Album/01 Song.flac     genre by its tag, cleaned by a table (`tags/genre_map.py`)
    Other/cover.jpg               no audio: left out and counted
    Other/untagged.wav            no genre in it: left out and counted

A folder of folders with audio is read as one folder a genre, unless `--layout tags` says otherwise.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from pathlib import PurePosixPath

import pandas as pd

from genre_model.data.audio_suffixes import is_tried
from genre_model.data.catalogue import COLUMNS, GIVEN, Catalogue, CleanedGenre
from genre_model.data.drawing.names import album_number, artist_number
from genre_model.data.drawing.path_hash import composed, track_id
from genre_model.data.folder import CatalogueOptions, DataFolder
from genre_model.data.left_out import LeftOut, Passed, named
from genre_model.data.naming import data_set_name
from genre_model.data.remedies import Remedies
from genre_model.data.tags.file_tags import FileTags
from genre_model.data.tags.genre_map import GenreMap, built_in_map, one_spelling
from genre_model.errors import CatalogueError

LOOKS_FOR = "audio files with tags"
_UNREAD = {
    "vanished": "gone while they were read",
    "unreadable": "not to be read (change their permissions)",
    "damaged_tags": "their tags are damaged",
}


def remedies(subset: str) -> Remedies:  # noqa: ARG001 - there is one only
    """Say what helps: more tags, or another map of genres."""
    return Remedies(
        genres="write another genre into the tags of some files, or map fewer genres to one by "
        "--genre-map",
        split="add files of more artists and albums, or give --split-by track",
    )


def fits(folder: DataFolder) -> bool:
    """Return whether there is any audio; whether it has tags shows when they are read."""
    return any(map(_is_audio, folder.files()))


def lacks(folder: DataFolder) -> str | None:  # noqa: ARG001 - any folder may hold audio
    """Return None: nothing but audio tells such a folder."""
    return None


def check(folder: DataFolder, *, options: CatalogueOptions) -> None:
    """Refuse `subset`, which such a folder does not have.

    Raises
    ------
    CatalogueError
    """
    options.refuse_subset(f"{folder.uri} is read by its files' tags")


def catalogue(folder: DataFolder, *, options: CatalogueOptions) -> Catalogue:
    """Read the tags of all audio; a file's title is its name where no tag says it.

    Raises
    ------
    CatalogueError
        If no file has a genre in its tags.
    """
    paths = [path for path in folder.files() if _is_audio(path)]
    tags = folder.tags(paths)
    return catalogue_tags(
        tags,
        data_set=data_set_name(PurePosixPath(os.path.normpath(folder.uri)).name),
        data=folder.uri,
        genre_map=options.genre_map or built_in_map(),
        left_out=LeftOut.of(sorted(set(folder.files()).difference(paths)), folder.oddities()),
    )


def catalogue_tags(
    tags: Mapping[str, FileTags],
    *,
    data_set: str,
    data: str,
    genre_map: GenreMap,
    left_out: LeftOut,
) -> Catalogue:
    """Make a catalogue of what files say of themselves.

    Parameters
    ----------
    tags : Mapping[str, FileTags]
        By path.
    data_set, data : str
        Its name, and what errors call the data folder.
    genre_map : GenreMap
    left_out : LeftOut
        What else lies there.

    Returns
    -------
    Catalogue
        Its splits are not drawn yet.

    Raises
    ------
    CatalogueError
        If no file has a genre.
    """
    chosen = {path: genre_map.choose(each.genres) for path, each in tags.items()}
    spellings = one_spelling(genre for genre in chosen.values() if genre)
    genres = {path: composed(spellings[genre]) for path, genre in chosen.items() if genre}
    passed, unlabelled = _passed(tags, genres)
    if not genres:
        told = "; ".join(each.sentence for each in passed if each.sentence)
        raise CatalogueError(
            f"none of the {len(tags):,} audio files of {data} has a genre in its tags"
            f"{f' ({told})' if told else ''}; write genres into them, or give a table of paths and "
            "genres (--data tracks.csv)"
        )
    return Catalogue(
        data_set=data_set,
        subset="full",
        tracks=_tracks(tags, genres),
        unlabelled=unlabelled,
        left_out=LeftOut(**{**vars(left_out), "passed": (*left_out.passed, *passed)}),
        cleaned=_cleaned(tags, genres),
        several_genres=sum(len(tags[path].genres) > 1 for path in genres),
    )


def _is_audio(path: str) -> bool:
    return is_tried(path) and not any(part.startswith(".") for part in path.split("/"))


def _passed(
    tags: Mapping[str, FileTags], genres: Mapping[str, str]
) -> tuple[tuple[Passed, ...], int]:
    """Tell the files that become no track by reason, and count those without a genre."""
    reasons: dict[str, list[str]] = {}
    for path, each in tags.items():
        if path not in genres:
            untold = "no_tags" if each.says_nothing else "unlabelled"
            mapped = "genre_map" if each.genres else untold
            reasons.setdefault(each.fault or mapped, []).append(path)
    unlabelled = reasons.pop("unlabelled", [])
    told = {
        **{reason: f"left out, as {why}: " for reason, why in _UNREAD.items()},
        "no_tags": "left out, as they have no tags: ",
    }
    passed = [
        Passed(reason=reason, files=len(paths), sentence=f"{told[reason]}{named(paths)}")
        for reason, paths in sorted(reasons.items())
        if reason != "genre_map"
    ]
    if mapped_away := reasons.get("genre_map"):
        written = Counter(" / ".join(tags[path].genres) for path in mapped_away)
        listed = named(f"{genre} ({count:,})" for genre, count in sorted(written.items()))
        sentence = f"left out, as the table of genres says: {listed}"
        passed.append(Passed(reason="genre_map", files=len(mapped_away), sentence=sentence))
    return tuple(passed), len(unlabelled)


def _cleaned(tags: Mapping[str, FileTags], genres: Mapping[str, str]) -> tuple[CleanedGenre, ...]:
    """List what was written otherwise than it is called now, most tracks first."""
    pairs = Counter((" / ".join(tags[path].genres), genre) for path, genre in genres.items())
    changed = [(pair, count) for pair, count in pairs.items() if pair[0] != pair[1]]
    ordered = sorted(changed, key=lambda item: (-item[1], item[0]))
    return tuple(
        CleanedGenre(written=written, genre=genre, tracks=count)
        for (written, genre), count in ordered
    )


def _tracks(tags: Mapping[str, FileTags], genres: Mapping[str, str]) -> pd.DataFrame:
    of_tracks = [tags[path] for path in genres]
    texts = {
        "path": list(genres),
        "genre": list(genres.values()),
        "split": [pd.NA] * len(genres),
        "artist": [each.artist or each.album_artist or pd.NA for each in of_tracks],
        "title": [
            each.title or composed(PurePosixPath(path).stem)
            for path, each in zip(genres, of_tracks, strict=True)
        ],
        "license": [each.license or pd.NA for each in of_tracks],
    }
    columns = {name: pd.Series(values, dtype="str") for name, values in texts.items()}
    tracks = pd.DataFrame(columns).assign(
        track_id=[track_id(path) for path in genres],
        subset="full",
        artist_id=pd.array([_artist(each) for each in of_tracks], dtype="Int64"),
        album_id=pd.array([_album(each) for each in of_tracks], dtype="Int64"),
        genre_source=GIVEN,
    )
    return tracks.sort_values("track_id", ignore_index=True)[list(COLUMNS)]


def _artist(tags: FileTags) -> int | None:
    """Take whose album it is on, so that its guests count as the artist; else the artist."""
    number = artist_number(tags.album_artist)
    return artist_number(tags.artist) if number is None else number


def _album(tags: FileTags) -> int | None:
    return album_number(tags.album, artist=tags.artist, album_artist=tags.album_artist)
