"""Data folders of FMA's layout for the benchmarks: as many clips as wanted, from few real ones."""

from __future__ import annotations

import csv
import itertools
import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import soundfile

from genre_model.data.fma.subset_tracks import audio_path, subset_folder
from genre_model.data.fma.tracks_csv import COLUMNS
from genre_model.demo import plan_demo, render_track
from tasks.native_stderr import captured_native_stderr

REAL_MUSIC = Path(__file__).parents[1].parent / "shared" / "real_music"
GENRES = ("Classical", "Electronic", "Folk", "Hip-Hop", "Instrumental", "Pop", "Rock", "Soul")
_QUIETEST_PEAK = 0.003
SPLITS = ("training",) * 8 + ("validation", "test")


@contextmanager
def workplace() -> Iterator[Path]:
    """Yield a temporary folder for data and stores; it is gone afterwards."""
    with TemporaryDirectory(prefix="genre-benchmark-") as folder:
        yield Path(folder)


def say(text: str) -> None:
    """Write a line of progress to stderr: stdout is for the result."""
    print(text, file=sys.stderr, flush=True)


def make_data(folder: Path, *, count: int, source: Path | None = None) -> str:
    """Write `count` tracks of 30 s and their tracks.csv, and return where the clips are from.

    Parameters
    ----------
    folder : Path
        Becomes a data folder of FMA's layout with tracks 1 to `count`, of the subset `small`.
    count : int
        The good clips are repeated, one after another, as hard links to one copy of each.
    source : Path, optional
        A data folder to take good clips from; by default `GENRE_REAL_MUSIC`, else the real music
        beside this repository, else the built-in data set.

    Raises
    ------
    ValueError
        If `source` holds no good clip.
    """
    name, originals = _originals(folder / "originals", source=source, at_most=count)
    if not originals:
        raise ValueError(f"{source} holds no clip of 30 s below fma_*/; name another data folder")
    ids = range(1, count + 1)
    for track_id, original in zip(ids, itertools.cycle(originals), strict=False):
        path = folder / audio_path(track_id)
        path.parent.mkdir(parents=True, exist_ok=True)
        _link_or_copy(original, path)
    write_tracks_csv(folder, ids)
    return f"{len(originals)} clips of {name}"


def write_tracks_csv(
    folder: Path,
    ids: Iterable[int],
    *,
    subset: str = "small",
    prose: str = "",
    without_top: int = 0,
) -> None:
    """Write the tracks.csv and genres.csv of a data folder, with genres and splits in turn.

    Parameters
    ----------
    folder : Path
        The data folder.
    ids : iterable of int
    subset : str
        What every track belongs to.
    prose : str
        What stands in the long columns (`album.information`, `artist.bio`).
    without_top : int
        Every so manyth track has no top genre of its own, but sub-genres of one; 0 for none.
    """
    path = folder / "fma_metadata" / "tracks.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["", *(level for level, _ in COLUMNS)])
        table.writerow(["", *(name for _, name in COLUMNS)])
        table.writerow(["track_id"] + [""] * len(COLUMNS))
        for track_id in ids:
            known = _cells(track_id, subset=subset, prose=prose)
            if without_top and track_id % without_top == 0:
                known[("track", "genre_top")] = ""
            table.writerow([track_id, *(known.get(column, "") for column in COLUMNS)])
    path.with_name("genres.csv").write_text(_genres_csv(), encoding="utf-8")


def make_empty_files(folder: Path, ids: Iterable[int], *, subset: str) -> None:
    """Make an empty file for every track, where only names, sizes and times are looked at."""
    (folder / subset_folder(subset)).mkdir(parents=True, exist_ok=True)
    for track_id in ids:
        path = folder / audio_path(track_id, folder=subset_folder(subset))
        path.parent.mkdir(exist_ok=True)
        path.touch()


def _originals(folder: Path, *, source: Path | None, at_most: int) -> tuple[str, list[Path]]:
    """Copy good clips into `folder`, where hard links to them do not touch the source."""
    folder.mkdir(parents=True)
    real = source or Path(os.environ.get("GENRE_REAL_MUSIC", REAL_MUSIC))
    if source is None and not real.is_dir():
        return "the built-in data set", _rendered(folder, at_most=at_most)
    good = (path for path in sorted(real.glob("fma_*/*/*.mp3")) if _is_good(path))
    # mpg123 has something to say of every damaged frame.
    with captured_native_stderr():
        chosen = list(itertools.islice(good, at_most))
    return real.name, [Path(shutil.copy(path, folder / path.name)) for path in chosen]


def _rendered(folder: Path, *, at_most: int) -> list[Path]:
    paths = []
    for track in [each for each in plan_demo().tracks if each.defect is None][:at_most]:
        path = folder / Path(track.path).name
        path.write_bytes(render_track(track) or b"")
        paths.append(path)
    return paths


def _is_good(path: Path) -> bool:
    """Tell whether it is about 30 s long, and to be heard in its middle second."""
    try:
        with soundfile.SoundFile(path) as file:
            seconds = file.frames / file.samplerate
            file.seek(file.frames // 2)
            middle = file.read(file.samplerate, dtype="float32")
    except soundfile.LibsndfileError:
        return False
    return 29.5 < seconds < 31 and bool(np.abs(middle).max(initial=0.0) > _QUIETEST_PEAK)


def _link_or_copy(original: Path, path: Path) -> None:
    try:
        path.hardlink_to(original)
    except OSError:
        shutil.copy(original, path)


def _genres_csv() -> str:
    """Write the genres and 100 sub-genres of each."""
    lines = ["genre_id,#tracks,parent,title,top_level"]
    for number, genre in enumerate(GENRES, start=1):
        lines.append(f"{number},0,0,{genre},{number}")
        lines += [f"{number}{sub},0,{number},{genre} {sub},{number}" for sub in range(100, 200)]
    return "\n".join(lines) + "\n"


def _cells(track_id: int, *, subset: str, prose: str) -> dict[tuple[str, str], object]:
    genre = track_id % len(GENRES) + 1
    sub_genres = [f"{genre}{100 + number % 100}" for number in (track_id, track_id // 7)]
    return {
        ("set", "split"): SPLITS[track_id % len(SPLITS)],
        ("set", "subset"): subset,
        ("track", "genre_top"): GENRES[track_id % len(GENRES)],
        ("track", "genres"): f"[{', '.join(sub_genres)}]",
        ("track", "title"): f"Track {track_id}",
        ("track", "license"): "Attribution",
        ("track", "duration"): 240,
        ("track", "bit_rate"): 256_000,
        ("artist", "id"): track_id // 8,
        ("artist", "name"): f"Artist {track_id // 8}",
        ("artist", "bio"): prose,
        ("album", "id"): track_id // 10,
        ("album", "information"): prose,
    }
