"""A full disk ends a run with one sentence and nothing half-written; with space it goes on."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from fault_genre import Genre, sentences
from fault_processes import nothing_left
from fault_stores import FeaturesFolder, assert_same_features, temporary_files

pytestmark = pytest.mark.faults


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a tmpfs of 16 KiB, which tests make larger."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = _mount("-t", "tmpfs", "-o", "size=16k", "tmpfs", str(folder))
    if mounted.returncode:
        pytest.skip(f"needs the right to mount a tmpfs (run as root): {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_disk_that_fills_up_amid_the_shards(
    small_disk: Path, genre: Genre, data: Path, undisturbed: FeaturesFolder
) -> None:
    store = small_disk / "store"
    needed = sum(len(content) for content in undisturbed.array().values())
    _resize(small_disk, round(0.4 * needed))
    _assert_refused(genre, data, store, small_disk)
    features = FeaturesFolder.only_one(store)
    finished = features.finished
    assert 0 < len(finished) < len(undisturbed.finished)
    before = features.files_of(finished)

    _resize(small_disk, 3 * needed)
    told = genre("features", "--data", data, "--store", store, "--workers", "2")
    assert told["written"] > 0
    assert features.files_of(finished) == before
    assert_same_features(features, undisturbed)
    assert temporary_files(store) == []


@pytest.mark.parametrize("kibibytes", [16, 64])
def test_a_disk_that_is_full_from_the_start(
    kibibytes: int, small_disk: Path, genre: Genre, data: Path
) -> None:
    store = small_disk / "store"
    _resize(small_disk, kibibytes * 1024)
    # Less than a page is left where the store, its catalogue or its plan is to be written.
    _assert_refused(genre, data, store, small_disk)


def _assert_refused(genre: Genre, data: Path, store: Path, disk: Path) -> None:
    arguments = ["features", "--data", data, "--store", store, "--workers", "2", "--json"]
    with nothing_left(genre.start(*arguments)) as run:
        assert run.wait() == 2, run.said
        assert run.out.read_text() == ""
        (sentence,) = sentences(run)
        assert str(disk) in sentence
        assert "No space left on device" in sentence
        assert "free some space" in sentence
        assert "Traceback" not in run.said
    assert temporary_files(disk) == []


def _resize(disk: Path, size: int) -> None:
    done = _mount("-o", f"remount,size={size}", str(disk))
    assert done.returncode == 0, done.stderr


def _mount(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
