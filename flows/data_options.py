"""Options of which tracks a data folder has: its layout, its genres, its splits."""

from __future__ import annotations

from typing import Annotated

from flows.option import Option
from genre_model.data.drawing.split_by import SPLIT_BY as WAYS
from genre_model.data.layouts import LAYOUTS

LAYOUT = Option(
    name="layout",
    help="Layout that the data is read as.",
    unset="the first that fits",
    choices=lambda: LAYOUTS,
    variable="GENRE_LAYOUT",
)
SPLIT_BY = Option(
    name="split_by",
    help="What stays together where the data brings no split: what shares an artist or an album by "
    "however long a chain, an album, a folder, or nothing but the track.",
    unset="artist; track where artists are not known, as in one folder a genre",
    choices=lambda: WAYS,
    variable="GENRE_SPLIT_BY",
)
GENRE_MAP = Option(
    name="genre_map",
    help="CSV with the columns from and to: what genres in tags are called, over the built-in "
    "table; an empty to leaves out, and * is all others.",
    unset="the built-in table alone",
    metavar="FILE",
    variable="GENRE_MAP",
)
MIN_TRACKS = Option(
    name="min_tracks",
    help="Genres with fewer tracks are left out.",
    kind=int,
    default=1,
    low=1,
    high=1_000_000,
    variable="GENRE_MIN_TRACKS",
)
# The flows' parameters.
LayoutName = Annotated[str | None, LAYOUT]
SplitBy = Annotated[str | None, SPLIT_BY]
GenreMapFile = Annotated[str | None, GENRE_MAP]
MinTracks = Annotated[int, MIN_TRACKS]
