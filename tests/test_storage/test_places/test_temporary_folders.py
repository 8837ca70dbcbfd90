"""Temporary folders go with their process: at once, or when the next one looks."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from storage.places import temporary_folders
from storage.places.temporary_folders import sweep_temporary_folders, temporary_folder

HOLDS = """
import sys
from pathlib import Path
from storage.places.temporary_folders import temporary_folder
with temporary_folder("model", parent=Path(sys.argv[1])) as folder:
    (folder / "model.keras").write_bytes(b"half")
    print(folder, flush=True)
    sys.stdin.read()
"""


@contextmanager
def another_process(parent: Path) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """Run a process that holds a folder until it is killed or its stdin closes."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(parent)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield process, Path(process.stdout.readline().strip())
    finally:
        process.kill()
        process.communicate()


def test_a_folder_is_empty_one_owners_and_goes_at_the_end(tmp_path: Path) -> None:
    with temporary_folder("model", parent=tmp_path) as folder:
        assert list(folder.iterdir()) == []
        assert (folder.parent.stat().st_mode & 0o777, folder.stat().st_mode & 0o777) == (
            0o700,
            0o700,
        )
        (folder / "below").mkdir()
        (folder / "below" / "file").write_bytes(b"x")
    assert list(tmp_path.iterdir()) == []


def test_it_may_be_renamed_away(tmp_path: Path) -> None:
    with temporary_folder("download", parent=tmp_path) as folder:
        (folder / "file").write_bytes(b"x")
        folder.rename(tmp_path / "whole")
    assert [path.name for path in tmp_path.iterdir()] == ["whole"]


def test_an_error_takes_it_away_too(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), temporary_folder("model", parent=tmp_path):
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_those_of_killed_processes_are_swept_and_those_of_living_ones_are_not(
    tmp_path: Path,
) -> None:
    with another_process(tmp_path) as (killed, left), another_process(tmp_path) as (_, used):
        killed.kill()
        killed.wait()
        assert (left / "model.keras").exists()
        with temporary_folder("model", parent=tmp_path) as mine:
            assert not left.parent.exists()
            assert (used / "model.keras").exists()
            assert sweep_temporary_folders(tmp_path) == 0
            assert mine.exists()
        assert [path for path in tmp_path.iterdir()] == [used.parent]  # noqa: C416


def test_a_process_that_is_stopped_lives(tmp_path: Path) -> None:
    with another_process(tmp_path) as (process, used):
        os.kill(process.pid, 19)
        assert sweep_temporary_folders(tmp_path) == 0
        assert (used / "model.keras").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs to give a folder to another user")
def test_those_of_other_users_are_left_to_them(tmp_path: Path) -> None:
    with another_process(tmp_path) as (killed, left):
        killed.kill()
        killed.wait()
    os.chown(left.parent, 65534, 65534)
    assert sweep_temporary_folders(tmp_path) == 0
    assert (left / "model.keras").exists()


def test_what_only_looks_like_one_stays(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "content").mkdir(parents=True)
    (elsewhere / "lock").touch()
    parent = tmp_path / "tmp"
    for name in ("genre-data", "genre-model-short", "my-genre-model-abcdefgh"):
        (parent / name / "content").mkdir(parents=True)
        (parent / name / "lock").touch()
    (parent / "genre-model-aaaaaaaa").symlink_to(elsewhere)
    (parent / "genre-model-bbbbbbbb").touch()
    (parent / "genre-model-cccccccc").mkdir()
    (parent / "genre-model-cccccccc" / "model.keras").touch()  # without a lock, whose is it?
    (parent / "genre-model-dddddddd").mkdir()
    (parent / "genre-model-dddddddd" / "lock").symlink_to(elsewhere / "lock")
    before = sorted(tmp_path.rglob("*"))
    assert sweep_temporary_folders(parent) == 0
    assert sorted(tmp_path.rglob("*")) == before


def test_a_sweep_that_is_killed_itself_leaves_what_the_next_one_knows(tmp_path: Path) -> None:
    with_lock, without = tmp_path / "genre-copy-aaaaaaaa", tmp_path / "genre-copy-bbbbbbbb"
    with_lock.mkdir()
    (with_lock / "lock").touch()
    without.mkdir()
    assert sweep_temporary_folders(tmp_path) == 2
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_swept_before_it_is_locked_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock, swept = temporary_folders._lock, []

    def late(folder: Path, flags: int = 0) -> int | None:
        if flags and not swept:
            swept.append(sweep_temporary_folders(tmp_path))
        return lock(folder, flags)

    monkeypatch.setattr(temporary_folders, "_lock", late)
    with temporary_folder("model", parent=tmp_path) as folder:
        assert swept == [1]
        assert [path for path in tmp_path.iterdir()] == [folder.parent]  # noqa: C416


def test_a_place_that_cannot_be_listed_is_no_error(tmp_path: Path) -> None:
    assert sweep_temporary_folders(tmp_path / "not there") == 0
