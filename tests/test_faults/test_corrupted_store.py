"""Whatever is damaged in a store is found and named, and repaired alone."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from fault_genre import Genre
from fault_stores import FeaturesFolder, assert_same_features, files, temporary_files

pytestmark = pytest.mark.faults

SHARD = 3
"""The one that is damaged: all of its tracks have audio."""


def flip_a_bit(features: FeaturesFolder) -> Path:
    """Change one bit, and leave size and time as they were."""
    path = features.shard(SHARD)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    _rewrite(path, bytes(content))
    return path


def truncate(features: FeaturesFolder) -> Path:
    path = features.shard(SHARD)
    _rewrite(path, path.read_bytes()[:-1000])
    return path


def delete(features: FeaturesFolder) -> Path:
    path = features.shard(SHARD)
    path.unlink()
    return path


def delete_its_manifest(features: FeaturesFolder) -> Path:
    path = features.manifest(SHARD)
    path.unlink()
    return path


def lie_about(field: str, value: object) -> Callable[[FeaturesFolder], Path]:
    """Give what changes one field of the manifest, or of its first row, and not its time."""

    def lie(features: FeaturesFolder) -> Path:
        path = features.manifest(SHARD)
        manifest = json.loads(path.read_bytes())
        holder = manifest if field in manifest else manifest["rows"][0]
        assert holder[field] != value
        holder[field] = value
        _rewrite(path, json.dumps(manifest).encode())
        return path

    return lie


DAMAGES = {
    "a flipped bit": flip_a_bit,
    "a truncated shard": truncate,
    "a deleted shard": delete,
    "a deleted manifest": delete_its_manifest,
    "a lie about a track": lie_about("track_id", 8),
    "a lie about windows": lie_about("windows", 7),
    "a lie about the bytes": lie_about("size", 1),
}


@pytest.fixture
def features(undisturbed: FeaturesFolder, store: Path) -> FeaturesFolder:
    """Copy the undisturbed store, with its times."""
    shutil.copytree(undisturbed.path.parents[2], store)
    return FeaturesFolder.only_one(store)


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=list(DAMAGES))
def test_damage_is_named_and_repaired(
    damage: Callable[[FeaturesFolder], Path],
    features: FeaturesFolder,
    undisturbed: FeaturesFolder,
    genre: Genre,
    scheduler: str,
    data: Path,
    store: Path,
) -> None:
    others = features.files_of(features.finished - {SHARD})
    path = damage(features)

    problems = genre("status", "--store", store, "--verify", ends=1)["problems"]
    assert {(problem["shard"], problem["path"]) for problem in problems} == {(SHARD, str(path))}

    arguments = ["--data", data, "--store", store, "--scheduler", scheduler]
    told = genre("features", *arguments, "--verify")
    assert (told["written"], told["reused"], told["quarantined"]) == (64, 384 - 64 - 5, 5)
    assert len(told["repaired"]) == len(problems)
    assert features.files_of(features.finished - {SHARD}) == others
    assert genre("status", "--store", store, "--verify")["problems"] == []
    assert_same_features(features, undisturbed)
    assert temporary_files(store) == []


def test_a_whole_store_is_left_as_it_is(
    features: FeaturesFolder, genre: Genre, scheduler: str, data: Path, store: Path
) -> None:
    before = files(features.path)
    arguments = ["--data", data, "--store", store, "--scheduler", scheduler]
    assert genre("features", *arguments, "--verify")["written"] == 0
    assert files(features.path) == before


def _rewrite(path: Path, content: bytes) -> None:
    """Change a file in place, as a disk does: its time stays."""
    status = path.stat()
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
