"""Files that nobody but their owner reads: logs, addresses, what runs, passwords."""

from __future__ import annotations

import os
from pathlib import Path

UMASK = 0o077
"""Of a process all of whose files are its owner's."""
_FILE, _FOLDER = 0o600, 0o700


def opener(path: str, flags: int) -> int:
    """Open for `open(…, opener=opener)`, also where the file was everybody's to read before."""
    descriptor = os.open(path, flags, _FILE)
    os.fchmod(descriptor, _FILE)
    return descriptor


def write(path: Path, content: str) -> None:
    """Write a file under a temporary name, and rename."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    with open(partial, "w", encoding="utf-8", opener=opener) as file:
        file.write(content)
    partial.replace(path)


def make_folder(folder: Path) -> None:
    """Make it, and close it to others where an earlier version has left it open."""
    folder.mkdir(mode=_FOLDER, parents=True, exist_ok=True)
    folder.chmod(_FOLDER)
