"""A full PREFECT_HOME is one sentence: before the run, and when it fills up amid the shards."""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from fault_genre import Genre, sentences
from fault_processes import Started, nothing_left, wait_until
from fault_stores import FeaturesFolder, assert_same_features, temporary_files
from limits import STEP_S

pytestmark = pytest.mark.faults

HOME = "200m"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """Mount a tmpfs on which Prefect has room."""
    folder = tmp_path / "home"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={HOME}", "tmpfs", str(folder)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"needs the right to mount a tmpfs (run as root): {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_home_that_is_full_from_the_start(
    home: Path, genre_alone: Genre, data: Path, store: Path
) -> None:
    _fill(home)
    with nothing_left(_start(genre_alone, home, data, store)) as run:
        assert run.wait() == 2, run.said
        (sentence,) = sentences(run)
    assert f"but {home} (PREFECT_HOME) has 0.0 MiB free: free some space there, or" in sentence
    assert "Traceback" not in run.said
    assert not store.exists()


def test_a_home_that_fills_up_amid_the_shards(
    home: Path, genre_alone: Genre, data: Path, store: Path, undisturbed: FeaturesFolder
) -> None:
    features = FeaturesFolder(store / undisturbed.path.relative_to(undisturbed.path.parents[2]))
    with nothing_left(_start(genre_alone, home, data, store)) as run:
        wait_until(lambda: bool(features.finished), what="a manifest")
        _fill(home)
        assert run.wait() == 2, run.said
        (sentence,) = sentences(run)
        assert run.out.read_text() == ""
    assert "cannot write its database any more, since" in sentence
    assert f"{home} (PREFECT_HOME) has 0.0 MiB free" in sentence
    assert "Traceback" not in run.said
    finished = features.finished
    before = features.files_of(finished)
    (home / "fill").unlink()
    with nothing_left(_start(genre_alone, home, data, store)) as again:
        assert again.wait() == 0, again.said
    assert features.files_of(finished) == before
    assert_same_features(features, undisturbed)
    assert temporary_files(store) == []


def _start(genre: Genre, home: Path, data: Path, store: Path) -> Started:
    command = Genre(genre.folder, {**genre.env, "PREFECT_HOME": str(home)})
    return command.start("features", "--data", data, "--store", store, "--workers", "1", "--json")


def _fill(home: Path) -> None:
    if (home / "prefect.db").exists():
        # else its journal has room for a thousand pages more, which is a whole short run
        with contextlib.closing(sqlite3.connect(home / "prefect.db", timeout=STEP_S)) as database:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with contextlib.suppress(OSError), (home / "fill").open("wb", buffering=0) as file:
        while True:
            file.write(bytes(2**20))
