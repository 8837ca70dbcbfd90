"""What can befall one file of a store: which files there are, and what is done to them."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

KINDS = {
    "store": r"store\.json",
    "champion": r"champion\.json",
    "catalogue": r"catalogues/[^/]+\.parquet",
    "group": r"features/[^/]+/[^/]+/zarr\.json",
    "array": r"features/[^/]+/[^/]+/[^/]+/zarr\.json",
    "shard": r"features/[^/]+/[^/]+/[^/]+/c/\d+(/0)+",
    "manifest": r"features/[^/]+/[^/]+/manifests/\d+\.json",
    "plan": r"features/[^/]+/[^/]+/plans/\d+\.parquet",
    "rows": r"features/[^/]+/[^/]+/rows\.parquet",
    "quarantine": r"features/[^/]+/[^/]+/quarantine\.parquet",
    "network": r"models/[^/]+/model\.keras",
    "portable network": r"models/[^/]+/model\.onnx",
    "filters": r"models/[^/]+/filters\.npy",
    "card": r"models/[^/]+/(evaluation/[^/]+/)?card\.md",
    "parameters": r"models/[^/]+/params\.json",
    "history": r"models/[^/]+/history\.csv",
    "log": r"models/[^/]+/logs/.+",
    "seal of a model": r"models/[^/]+/seal\.json",
    "metrics": r"models/[^/]+/evaluation/[^/]+/metrics\.json",
    "predicted tracks": r"models/[^/]+/evaluation/[^/]+/predictions\.parquet",
    "report": r"models/[^/]+/evaluation/[^/]+/report\.(html|md)",
    "picture": r"models/[^/]+/evaluation/[^/]+/[^/]+\.png",
    "seal of an evaluation": r"models/[^/]+/evaluation/[^/]+/seal\.json",
    "predicted folder": r"predictions/[^/]+/[^/]+\.parquet",
    "sweep": r"sweeps/[^/]+/results\.parquet",
}
"""What a file is -> its path below the store."""

SPARSE = 100 * 2**30
"""Bytes."""

LEFT_OUT = re.compile(r"claims/.*|(.*/)?checkpoints/.*|(.*/)?\..*")
"""What is of a run that is under way: claims, the states of a training, temporary files, locks."""


@dataclass(frozen=True, kw_only=True)
class Damage:
    """One file, and what is done to it.

    Attributes
    ----------
    kind : str
        A key of `KINDS`.
    path : str
        Below the store.
    how : str
        A key of `HOWS`.
    at : float [0 to below 1]
        Where in the file, or which of the others of its kind.
    """

    kind: str
    path: str
    how: str
    at: float

    def do(self, store: Path) -> Path:
        """Do it to a store, and return the file's path."""
        path = store / self.path
        HOWS[self.how](path, self.at, others(store, self.kind, self.path))
        return path


def files_by_kind(store: Path) -> dict[str, list[str]]:
    """List what may be damaged in a store, by kind; each path is below the store.

    Raises
    ------
    AssertionError
        If a file is of no kind: name it in `KINDS`.
    """
    found: dict[str, list[str]] = {}
    for path in sorted(p.relative_to(store).as_posix() for p in store.rglob("*") if p.is_file()):
        if not LEFT_OUT.fullmatch(path):
            kinds = [kind for kind, pattern in KINDS.items() if re.fullmatch(pattern, path)]
            assert len(kinds) == 1, f"{path} is of {kinds or 'no kind'}"
            found.setdefault(kinds[0], []).append(path)
    return found


def others(store: Path, kind: str, path: str) -> list[Path]:
    """List the files that a file may be mistaken for: of its kind, else of its suffix, else all."""
    files, content = files_by_kind(store), (store / path).read_bytes()
    everything = [each for paths in files.values() for each in paths]
    suffix = Path(path).suffix
    of_suffix = [each for each in everything if Path(each).suffix == suffix]
    of_kind = [each for each in files[kind] if each in of_suffix]
    other = [
        [store / each for each in alike if (store / each).read_bytes() != content]
        for alike in (of_kind, of_suffix, everything)
    ]
    return next(each for each in other if each)


def rewrite(path: Path, content: bytes) -> None:
    """Change a file in place, as a disk does: its time stays."""
    status = path.stat()
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def flip(path: Path, at: float, _others: list[Path]) -> None:
    """Change one bit."""
    content = bytearray(path.read_bytes())
    bit = int(at * 8 * len(content))
    content[bit // 8] ^= 1 << bit % 8
    rewrite(path, bytes(content))


def truncate(path: Path, at: float, _others: list[Path]) -> None:
    """Leave the beginning, of at least one byte."""
    content = path.read_bytes()
    rewrite(path, content[: max(1, int(at * len(content)))])


def empty(path: Path, _at: float, _others: list[Path]) -> None:
    """Leave nothing in it."""
    rewrite(path, b"")


def delete(path: Path, _at: float, _others: list[Path]) -> None:
    """Take it away."""
    path.unlink()


def swap(path: Path, at: float, others: list[Path]) -> None:
    """Put the content of another one in its place."""
    rewrite(path, others[int(at * len(others))].read_bytes())


def pipe(path: Path, _at: float, _others: list[Path]) -> None:
    """Put a named pipe in its place, which nobody writes to."""
    path.unlink()
    os.mkfifo(path)


def folder(path: Path, _at: float, _others: list[Path]) -> None:
    """Put a folder in its place, with a file in it."""
    path.unlink()
    path.mkdir()
    (path / "of-somebody.txt").write_text("This is not of the store.\n")


def lengthen(path: Path, _at: float, _others: list[Path]) -> None:
    """Make it far longer than the memory, of zeros that are not on the disk."""
    os.truncate(path, SPARSE)


HOWS: dict[str, Callable[[Path, float, list[Path]], None]] = {
    "flip": flip,
    "truncate": truncate,
    "empty": empty,
    "delete": delete,
    "swap": swap,
    "pipe": pipe,
    "folder": folder,
    "sparse": lengthen,
}
"""What is done to a file, by name."""


def copy_store(store: Path, target: Path) -> Path:
    """Copy a store with the times of its files, in place of what is at `target`."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(store, target)
    return target
