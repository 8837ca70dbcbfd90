"""What lies in a store: to compare it with an undisturbed one, and to see what was rewritten."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from storage.array.layout import manifest_name
from storage.places.location import Location

_BY_RUN = ["manifest_etag"]
"""The column of `rows.parquet` that holds a file's time."""


@dataclass(frozen=True)
class FeaturesFolder:
    """One features folder in a store, as files."""

    path: Path
    values_name: str = "log_mel"

    @classmethod
    def only_one(cls, store: Path) -> FeaturesFolder:
        """Find the one that a store holds."""
        (found,) = store.glob("features/*/*")
        return cls(found, "embedding" if (found / "embedding").exists() else "log_mel")

    @property
    def _tail(self) -> str:
        return {"log_mel": "0/0/0", "embedding": "0/0"}[self.values_name]

    @property
    def manifests(self) -> list[Path]:
        """The manifests, by shard."""
        return sorted((self.path / "manifests").glob("*.json"))

    @property
    def finished(self) -> set[int]:
        """The shards that have a manifest."""
        return {int(path.stem) for path in self.manifests}

    @property
    def objects(self) -> set[int]:
        """The shards that have bytes."""
        chunks = self.path.glob(f"{self.values_name}/c/*")
        return {int(path.name) for path in chunks if (path / self._tail).exists()}

    def shard(self, shard: int) -> Path:
        """Place the bytes of a shard."""
        return self.path / f"{self.values_name}/c/{shard}/{self._tail}"

    def manifest(self, shard: int) -> Path:
        """Place the manifest of a shard."""
        return self.path / manifest_name(shard)

    def array(self) -> dict[str, bytes]:
        """Read every byte of the array: its shards and its metadata.

        What lies under a name with a dot is none of it: what an orphan left (`temporary_files`),
        and what lay in the place of a file.
        """
        own = len(self.path.parts)
        files = [self.path / "zarr.json", *(self.path / self.values_name).rglob("*")]
        return {
            str(f.relative_to(self.path)): f.read_bytes()
            for f in files
            if f.is_file() and not any(part.startswith(".") for part in f.parts[own:])
        }

    def told(self) -> list[dict[str, Any]]:
        """Read every manifest but for what it says of time."""
        manifests = [json.loads(path.read_bytes()) for path in self.manifests]
        for manifest in manifests:
            del manifest["seconds"]
        return manifests

    def table(self, name: str) -> pd.DataFrame:
        """Read `rows` or `quarantine` but for what it says of time."""
        frame = pd.read_parquet(self.path / f"{name}.parquet")
        return frame.drop(columns=_BY_RUN, errors="ignore")

    @property
    def plans(self) -> list[Path]:
        """The stored plans, in order."""
        return sorted((self.path / "plans").glob("*.parquet"))

    def files_of(self, shards: set[int]) -> dict[str, tuple[int, int]]:
        """Tell of each file of these shards which one it is (inode) and when it was written."""
        files = [path for n in shards for path in (self.shard(n), self.manifest(n))]
        return {str(path): _identity(path) for path in files if path.exists()}

    def timeline(self) -> list[float]:
        """Tell when the first plan, then every manifest was written: seconds after the plan."""
        planned = self.plans[0].stat().st_mtime
        return [0.0, *sorted(path.stat().st_mtime - planned for path in self.manifests)]

    def writing(self) -> list[float]:
        """Tell when the first shard was begun, then when every manifest was written: seconds."""
        _, first, *others = self.timeline()
        earliest = min(self.manifests, key=lambda path: path.stat().st_mtime)
        began = first - float(json.loads(earliest.read_bytes())["seconds"])
        return [0.0, *(each - began for each in (first, *others))]

    def values(self) -> dict[int, np.ndarray]:
        """Read the windows of every track's newest row."""
        from storage.array.layout import ROWS_PER_SHARD
        from storage.array.tables import current_rows
        from storage.store import Store

        store, data_set, name = self.path.parents[2], self.path.parent.name, self.path.name
        features = Store.open(store).features.open(data_set=data_set, name=name)
        rows = current_rows(features.rows())
        shards = {n: features.read_shard(n) for n in (rows["row"] // ROWS_PER_SHARD).unique()}
        return {
            track: shards[row // ROWS_PER_SHARD][row % ROWS_PER_SHARD][:windows]
            for row, track, windows in zip(
                rows["row"], rows["track_id"], rows["windows"], strict=True
            )
        }


def as_folder(store: Location, folder: Path) -> FeaturesFolder:
    """Copy a store from elsewhere to a folder, where it can be compared."""
    for entry in store.list(recursive=True):
        target = folder / entry.name
        target.parent.mkdir(parents=True, exist_ok=True)
        (store / entry.name).download(target)
    return FeaturesFolder.only_one(folder)


def files(folder: Path) -> dict[str, tuple[int, int]]:
    """Tell of each file below a folder which one it is (inode) and when it was written."""
    return {str(path): _identity(path) for path in folder.rglob("*") if path.is_file()}


def temporary_files(folder: Path) -> list[Path]:
    """List what unfinished writes left."""
    return sorted(folder.rglob("*.partial"))


def assert_same_features(found: FeaturesFolder, expected: FeaturesFolder) -> None:
    """Check the bytes of the array, the manifests but for time, and both tables."""
    array, wanted = found.array(), expected.array()
    assert sorted(array) == sorted(wanted)
    assert [name for name in wanted if array[name] != wanted[name]] == []
    assert found.told() == expected.told()
    for name in ("rows", "quarantine"):
        pd.testing.assert_frame_equal(found.table(name), expected.table(name))


def assert_same_values(found: FeaturesFolder, expected: FeaturesFolder) -> None:
    """Check that both hold the same windows of the same tracks, in whatever rows."""
    values, wanted = found.values(), expected.values()
    assert values.keys() == wanted.keys()
    assert [track for track in wanted if values[track].tobytes() != wanted[track].tobytes()] == []


def _identity(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_ino, status.st_mtime_ns
