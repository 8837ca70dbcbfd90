"""The built-in data set's tracks.csv and genres.csv, in FMA's form."""

from __future__ import annotations

import csv
import io
from collections import Counter

from genre_model.data.fma.tracks_csv import COLUMNS
from genre_model.demo.plan import CLIP_SECONDS, DemoPlan, DemoTrack

# FMA's own numbers, all of them top genres.
_GENRE_IDS = {
    "Electronic": 15,
    "Experimental": 38,
    "Folk": 17,
    "Hip-Hop": 21,
    "Instrumental": 1235,
    "International": 2,
    "Pop": 10,
    "Rock": 12,
}
_LICENCE = "CC0 1.0 Universal"
_DATE = "2026-11-22 00:00:00"


def tracks_csv(plan: DemoPlan) -> str:
    """Write a plan's tracks.csv: two header lines, the index line, 52 columns.

    Parameters
    ----------
    plan : DemoPlan
        As `plan_demo` returns it.

    Returns
    -------
    str
        The file; its lines end in a line feed. Genres are told but for the unlabelled track.
    """
    header = [
        ["", *(level for level, _ in COLUMNS)],
        ["", *(name for _, name in COLUMNS)],
        ["track_id", *("" for _ in COLUMNS)],
    ]
    return _csv(header + [_line(track) for track in plan.tracks])


def genres_csv(plan: DemoPlan) -> str:
    """Write a plan's genres.csv: number, tracks, parent (none), name and top genre of each.

    Parameters
    ----------
    plan : DemoPlan
        As `plan_demo` returns it.

    Returns
    -------
    str
        The file; its lines end in a line feed.
    """
    tracks = Counter(track.genre for track in plan.tracks if track.labelled)
    numbers = sorted((_GENRE_IDS[genre], genre) for genre in tracks)
    lines = [
        [str(number), str(tracks[genre]), "0", genre, str(number)] for number, genre in numbers
    ]
    return _csv([["genre_id", "#tracks", "parent", "title", "top_level"], *lines])


def _line(track: DemoTrack) -> list[str]:
    """Write one track's cells; what is not known stays empty, as in FMA."""
    genres = f"[{_GENRE_IDS[track.genre]}]" if track.labelled else "[]"
    known = {
        ("album", "id"): str(track.artist_id),
        ("album", "date_created"): _DATE,
        ("album", "tags"): "[]",
        ("album", "title"): f"Songs by {track.artist}",
        ("album", "type"): "Album",
        ("artist", "id"): str(track.artist_id),
        ("artist", "date_created"): _DATE,
        ("artist", "name"): track.artist,
        ("artist", "tags"): "[]",
        ("set", "split"): track.split,
        ("set", "subset"): "small",
        ("track", "bit_rate"): str(track.encoding.bit_rate),
        ("track", "date_created"): _DATE,
        ("track", "duration"): f"{CLIP_SECONDS:.0f}",
        ("track", "genre_top"): track.genre if track.labelled else "",
        ("track", "genres"): genres,
        ("track", "genres_all"): genres,
        ("track", "license"): _LICENCE,
        ("track", "number"): str(track.number),
        ("track", "tags"): "[]",
        ("track", "title"): track.title,
    }
    return [str(track.track_id), *(known.get(column, "") for column in COLUMNS)]


def _csv(lines: list[list[str]]) -> str:
    """Join cells and lines as FMA's files do."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(lines)
    return text.getvalue()
