"""Archives of FMA's form, good and evil, made in the test."""

from __future__ import annotations

import io
import random
import zipfile
from collections.abc import Mapping
from hashlib import sha1


def files_of(name: str, *, count: int = 20, size: int = 30_000, seed: int = 1) -> dict[str, bytes]:
    """Make up the files of an archive: clips of noise, and the list of their hashes."""
    draw = random.Random(seed)
    files = {
        f"{number // 8:03d}/{number:06d}.mp3": draw.randbytes(draw.randint(size // 2, size))
        for number in range(count)
    }
    listing = "".join(f"{sha1(data).hexdigest()}  {path}\n" for path, data in files.items())
    files = {f"{name}/{path}": data for path, data in files.items()}
    return {**files, f"{name}/README.txt": b"words " * 500, f"{name}/checksums": listing.encode()}


def zipped(files: Mapping[str, bytes], *, method: int = zipfile.ZIP_BZIP2) -> bytes:
    """Pack files, with an entry for each folder as FMA's archives have."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", method) as archive:
        for folder in sorted({name.rpartition("/")[0] for name in files if "/" in name}):
            archive.writestr(zipfile.ZipInfo(f"{folder}/"), b"")
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data, compress_type=method)
    return held.getvalue()


def sha1_of(data: bytes) -> str:
    """Return the sha1 of an archive."""
    return sha1(data).hexdigest()
