"""A data set of FMA's layout small enough to run everything on it in seconds."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import soundfile

from genre_model.data.fma.tracks_csv import COLUMNS

RATE = 22_050
SPLITS = ("training",) * 8 + ("validation",) * 3 + ("test",) * 3
GENRES = ("Electronic", "Rock")
MISSING = 900
"""The track whose file is not there."""
SHARED = (100, 127)
"""Two tracks of one artist, of the training and the test split."""


def write_tiny_fma(folder: Path) -> None:
    """Write 28 clips of two genres, noise and tones, and a row without a file.

    The files are WAV under FMA's names: libsndfile looks at the content.
    """
    rng = np.random.default_rng(7)
    rows = []
    for number in range(len(GENRES) * len(SPLITS)):
        genre, split = GENRES[number % 2], SPLITS[number // 2]
        rows.append((100 + number, genre, split))
        path = folder / "fma_small" / "000" / f"{100 + number:06d}.mp3"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(clip(rng, is_tone=genre == "Rock"))
    rows.append((MISSING, "Rock", "training"))
    (folder / "fma_metadata").mkdir()
    (folder / "fma_metadata" / "tracks.csv").write_text(tracks_csv(rows), encoding="utf-8")


def clip(
    rng: np.random.Generator, *, is_tone: bool, seconds: float = 30.0, kind: str = "WAV"
) -> bytes:
    """Render a tone in noise, or noise alone."""
    samples = 0.1 * rng.standard_normal(int(seconds * RATE))
    if is_tone:
        pitch = rng.uniform(200, 2_000)
        samples += 0.3 * np.sin(2 * np.pi * pitch * np.arange(len(samples)) / RATE)
    file = io.BytesIO()
    soundfile.write(file, samples.clip(-1, 1), RATE, format=kind)
    return file.getvalue()


def tracks_csv(rows: list[tuple[int, str, str]]) -> str:
    """Write tracks.csv: id, genre and split of each track; all but `SHARED` have own artists."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["", *(level for level, _ in COLUMNS)])
    table.writerow(["", *(name for _, name in COLUMNS)])
    table.writerow(["track_id"] + [""] * len(COLUMNS))
    for track_id, genre, split in rows:
        artist = SHARED[0] if track_id in SHARED else track_id
        known = {
            ("set", "split"): split,
            ("set", "subset"): "small",
            ("track", "genre_top"): genre,
            ("artist", "id"): artist,
            ("artist", "name"): f"Artist {artist}",
            ("track", "title"): f"Track {track_id}",
        }
        table.writerow([track_id, *(known.get(column, "") for column in COLUMNS)])
    return text.getvalue()
