"""The built-in data set on disk: made once, on first use, one Dask call a track."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterable
from concurrent.futures import Future, as_completed
from pathlib import Path
from typing import Any, Protocol

from genre_model.data.fma_layout import DEMO_MARK as MARK  # written last, with the version
from genre_model.demo import (
    DEMO_VERSION,
    DemoTrack,
    genres_csv,
    plan_demo,
    render_track,
    tracks_csv,
)


class Mapper(Protocol):
    """What calls a function for each of some items, on Dask workers."""

    def map(
        self, function: Callable[..., Any], items: Iterable[Any], **keywords: Any
    ) -> list[Future[Any]]:
        """Return a future an item."""


def is_demo(folder: Path) -> bool:
    """Return whether `folder` holds a finished built-in data set, of any version."""
    return (folder / MARK).is_file()


def is_current(folder: Path) -> bool:
    """Return whether `folder` holds the built-in data set that this version makes."""
    return is_demo(folder) and json.loads((folder / MARK).read_text()) == {"version": DEMO_VERSION}


def make_demo(
    folder: Path, *, client: Mapper, track_done: Callable[[int], None] = lambda _done: None
) -> None:
    """Write the built-in data set, unless it is there.

    It is made under a temporary name and renamed, so that `folder` is whole or not there.

    Parameters
    ----------
    folder : Path
        Becomes FMA's layout; anything there that is not a current demo set is left alone.
    client : Mapper
        Whose workers see the same file system.
    track_done : callable
        Called with the number of tracks done.

    Raises
    ------
    FileExistsError
        If `folder` holds something else.
    """
    if is_current(folder):
        return
    if folder.exists() and not is_demo(folder) and any(folder.iterdir()):
        raise FileExistsError(
            f"{folder} is not empty and not the built-in data set; name another folder"
        )
    parts = folder.with_name(f".{folder.name}.{os.getpid()}.partial")
    shutil.rmtree(parts, ignore_errors=True)
    tracks = plan_demo().tracks
    _write_tables(parts)
    futures = client.map(write_track, tracks, folder=str(parts), pure=False)
    for done, future in enumerate(as_completed(futures), start=1):
        future.result()
        track_done(done)
    (parts / MARK).write_text(json.dumps({"version": DEMO_VERSION}))
    if folder.exists():
        shutil.rmtree(folder)
    parts.rename(folder)


def write_track(track: DemoTrack, folder: str) -> None:
    """Render one track into `folder`; a track whose file is to be missing writes none."""
    audio = render_track(track)
    if audio is not None:
        path = Path(folder) / track.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(audio)


def _write_tables(folder: Path) -> None:
    plan = plan_demo()
    metadata = folder / "fma_metadata"
    metadata.mkdir(parents=True)
    (metadata / "tracks.csv").write_text(tracks_csv(plan), encoding="utf-8")
    (metadata / "genres.csv").write_text(genres_csv(plan), encoding="utf-8")
