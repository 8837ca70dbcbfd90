"""A data set of FMA's layout for the fault tests: hundreds of short clips, made in seconds."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import soundfile

from genre_model.data.fma.subset_tracks import audio_path
from genre_model.data.fma.tracks_csv import COLUMNS

RATE = 22_050
BIT_RATE = 24_000
GENRES = ("Electronic", "Folk", "Hip-Hop", "Rock")
SPLITS = ("training", "training", "training", "validation", "test")
DEFECTS = {1: "missing", 2: "empty", 3: "undecodable", 4: "silent", 5: "short"}
"""Place of a track, counted from the first -> the status that its defect gives."""


def track_ids(count: int, *, first: int = 1_000) -> list[int]:
    """Name `count` tracks, with gaps as in FMA."""
    return [first + 7 * place for place in range(count)]


def write_data(folder: Path, count: int, *, seed: int) -> list[int]:
    """Write `count` tracks, five of them with a defect, and their tracks.csv; return their ids."""
    rng = np.random.default_rng(seed)
    ids = track_ids(count)
    song = _mp3(0.1 * rng.standard_normal(240 * RATE))
    frames = _frames(song)
    for place, track_id in enumerate(ids):
        # One of four gives all ten windows, the rest one to four; no two have the same bytes.
        seconds = rng.uniform(3.5, 12.0) if place % 4 else 30.2
        content = _defect(place, _cut(song, frames, seconds, rng))
        path = folder / audio_path(track_id)
        path.parent.mkdir(parents=True, exist_ok=True)
        if content is not None:
            path.write_bytes(content)
    write_tracks(folder, ids)
    return ids


def write_tracks(folder: Path, ids: Iterable[int], *, shift: int = 0) -> None:
    """Write tracks.csv of `ids`; `shift` gives every track another genre and split."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["", *(level for level, _ in COLUMNS)])
    table.writerow(["", *(name for _, name in COLUMNS)])
    table.writerow(["track_id"] + [""] * len(COLUMNS))
    for track_id in ids:
        place = track_id // 7 + shift
        known = {
            ("set", "split"): SPLITS[place % len(SPLITS)],
            ("set", "subset"): "small",
            ("track", "genre_top"): GENRES[place % len(GENRES)],
            ("track", "title"): f"Track {track_id}",
            ("artist", "id"): track_id,
            ("artist", "name"): f"Artist {track_id}",
        }
        table.writerow([track_id, *(known.get(column, "") for column in COLUMNS)])
    tracks = folder / "fma_metadata" / "tracks.csv"
    tracks.parent.mkdir(parents=True, exist_ok=True)
    tracks.write_text(text.getvalue(), encoding="utf-8")


def link_data(data: Path, folder: Path, ids: Iterable[int]) -> Path:
    """Make a data folder of some of the tracks, with hard links to the same files; return it."""
    chosen = list(ids)
    for track_id in chosen:
        path = folder / audio_path(track_id)
        path.parent.mkdir(parents=True, exist_ok=True)
        source = data / audio_path(track_id)
        if source.exists():
            path.hardlink_to(source)
    write_tracks(folder, chosen)
    return folder


def _defect(place: int, clip: bytes) -> bytes | None:
    match DEFECTS.get(place):
        case "missing":
            return None
        case "empty":
            return b""
        case "undecodable":
            return b"This is no MP3, whatever its name says.\n" * 50
        case "silent":
            return _mp3(np.zeros(5 * RATE))
        case "short":
            return clip[: BIT_RATE // 8]
        case _:
            return clip


def _cut(song: bytes, frames: list[int], seconds: float, rng: np.random.Generator) -> bytes:
    length = round(seconds * RATE / 576)
    first = int(rng.integers(1, len(frames) - length - 1))
    return song[frames[first] : frames[first + length]]


def _frames(song: bytes) -> list[int]:
    """Find the starts of the frames of an MPEG-2 layer III stream of constant bit rate."""
    starts, at = [], 0
    while at + 3 <= len(song) and song[at] == 0xFF:
        starts.append(at)
        at += 72 * BIT_RATE // RATE + (song[at + 2] >> 1 & 1)
    return starts


def _mp3(samples: np.ndarray) -> bytes:
    file = io.BytesIO()
    soundfile.write(
        file,
        samples.astype(np.float32),
        RATE,
        format="MP3",
        subtype="MPEG_LAYER_III",
        bitrate_mode="CONSTANT",
        compression_level=0.9,
    )
    return file.getvalue()
