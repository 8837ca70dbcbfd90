"""The columns that every catalogue's tracks have."""

from __future__ import annotations

GIVEN, DERIVED = "given", "derived"
"""The values of a catalogue's `genre_source`."""

COLUMNS = (
    "track_id",
    "path",
    "genre",
    "split",
    "subset",
    "artist_id",
    "artist",
    "title",
    "license",
    "genre_source",
    "album_id",
)
"""docs/catalogue.md says what each holds."""
