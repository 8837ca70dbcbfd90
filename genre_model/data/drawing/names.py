"""Numbers for artists and albums that are known by name only, so that splits can keep to them.

Names are compared without regard to case, spaces and the form of accents; guests ("A feat. B")
count for the first. Names that say that nothing is known are none.
"""

from __future__ import annotations

import re
import unicodedata

from genre_model.data.drawing.path_hash import track_id

_NOBODY = frozenset(
    ["", "-", "?", "n/a", "na", "none", "null", "unknown", "unknown artist", "unknown album"]
)
_MANY = frozenset(["various", "various artists", "va", "v.a.", "v/a"])
_NAMES = """
    album, best of, the best of, bootleg, collection, demo, demos, ep, greatest hits, hits, live,
    misc, original soundtrack, remixes, s/t, self titled, self-titled, single, singles, soundtrack,
    unplugged, untitled
"""
_EVERYBODYS = frozenset(name.strip() for name in _NAMES.split(","))
"""Albums of many artists have these names, and are not one."""

_GUESTS = re.compile(r"\s+[(\[]?(?:feat|ft|featuring)\b.*", re.IGNORECASE)


def artist_number(name: str | None) -> int | None:
    """Give an artist a number; None where the name names nobody, or no one in particular.

    Returns
    -------
    int [0 to 2**53 - 1] or None

    Examples
    --------
    >>> artist_number("Björk feat. Antony") == artist_number("BJÖRK")
    True
    >>> artist_number("Various Artists") is None
    True
    """
    plain = _plain(name)
    return None if plain in _NOBODY | _MANY else track_id(f"artist {plain}")


def album_number(
    album: str | None, *, artist: str | None = None, album_artist: str | None = None
) -> int | None:
    """Give an album a number; None where it is not known.

    Whom the album is by tells albums of one name apart; a compilation (no album artist, or various
    ones) goes by its name alone, unless many albums have that.

    Returns
    -------
    int [0 to 2**53 - 1] or None
    """
    plain = _plain(album)
    if plain in _NOBODY:
        return None
    by = _plain(album_artist)
    if by in _NOBODY and plain in _EVERYBODYS:
        by = _plain(artist)
    return track_id(f"album {plain} by {'' if by in _NOBODY | _MANY else by}")


def _plain(name: str | None) -> str:
    text = unicodedata.normalize("NFKC", name or "").casefold()
    return " ".join(_GUESTS.sub("", text).split())
