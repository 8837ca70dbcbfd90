"""Reading the tags of one file: ID3, Vorbis comments, MP4, RIFF, AIFF by tinytag; APE here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import BinaryIO

from tinytag import TinyTag, TinyTagException, UnsupportedFormatError

from genre_model.data.tags.ape import read_ape
from genre_model.data.tags.file_tags import FileTags, clean_text

_APE_NAMES = {"genre": "genres", "album artist": "album_artist", "albumartist": "album_artist"}
_MOST_GENRES = 20


def read_tags(file: BinaryIO, *, name: str) -> FileTags:
    """Read what a file says of itself; pictures are passed over, however large.

    Parameters
    ----------
    file : binary file
        That can be sought; it is read in small parts.
    name : str
        Its name, by whose suffix the kind is told first.

    Returns
    -------
    FileTags
        Nothing where the format has no tags; with a `fault` where they are damaged.
    """
    try:
        tags = _by_tinytag(TinyTag.get(filename=name, file_obj=file))
    except UnsupportedFormatError:
        return FileTags()
    except TinyTagException as error:
        reason = clean_text(error) or type(error).__name__
        tags = FileTags(fault="damaged_tags", detail=reason)
    if name.lower().endswith((".mp3", ".mp2", ".mp1")):
        with_ape = _with_ape(tags, read_ape(file))
        return tags if with_ape.says_nothing else replace(with_ape, fault="", detail="")
    return tags


def _by_tinytag(found: TinyTag) -> FileTags:
    more = found.other.get("genre", [])
    genres = [found.genre, *more] if found.genre else more
    return FileTags(
        genres=_texts(genres),
        artist=clean_text(found.artist),
        album_artist=clean_text(found.albumartist),
        album=clean_text(found.album),
        title=clean_text(found.title),
        license=clean_text(next(iter(found.other.get("license", [])), "")),
        seconds=round(max(found.duration or 0.0, 0.0), 3),
        bit_rate=round(1_000 * (found.bitrate or 0.0)),
        sample_rate=found.samplerate or 0,
    )


def _with_ape(tags: FileTags, ape: dict[str, tuple[str, ...]]) -> FileTags:
    """Fill what a file's other tags do not say."""
    if not ape:
        return tags
    told = {_APE_NAMES.get(key, key): values for key, values in ape.items()}
    first = {name: clean_text(values[0]) for name, values in told.items()}
    return replace(
        tags,
        genres=tags.genres or _texts(told.get("genres", ())),
        artist=tags.artist or first.get("artist", ""),
        album_artist=tags.album_artist or first.get("album_artist", ""),
        album=tags.album or first.get("album", ""),
        title=tags.title or first.get("title", ""),
        license=tags.license or first.get("license", ""),
    )


def _texts(values: Iterable[str]) -> tuple[str, ...]:
    """Clean several values; a value may hold further ones, ended by NULs."""
    parts = [part for value in values for part in value.split("\0")]
    return tuple(filter(None, map(clean_text, parts[:_MOST_GENRES])))
