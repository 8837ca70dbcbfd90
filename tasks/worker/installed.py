"""What is installed where a Dask worker runs, as far as the rows that it writes depend on it."""

from __future__ import annotations

import functools
import hashlib
import importlib
import platform
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

DISTRIBUTION = "fma-genre"
CODE = f"code of {DISTRIBUTION}"
ROOMS = ("genre_model", "storage", "tasks")
"""What a worker runs of it."""

_JOB = "tasks.worker.shards"
# Of the bytes that a shard is: zstd. Of its values: those of all manifests, and of backbones.
_OTHERS = ("numcodecs", "onnxruntime")


def installed() -> Mapping[str, str]:
    """Tell the versions that must be the same on all workers of a run, by name.

    The distribution's own is left out where it has none, as in a checkout on PYTHONPATH; its code
    is told apart by a digest, since an image may be older than its version.

    Raises
    ------
    ImportError
        If something is missing.
    """
    try:
        importlib.import_module(_JOB)
    except OSError as error:  # a shared library, as libsndfile, is not there
        raise ImportError(str(error)) from error
    from genre_model.signal.versions import FEATURE_LIBRARIES, decoder_version, library_versions

    libraries = dict(library_versions((*FEATURE_LIBRARIES, *_OTHERS)))
    decoder, _, its_version = decoder_version().partition("-")
    python = ".".join(platform.python_version_tuple()[:2])
    return {
        **_own_version(),
        CODE: code_digest(),
        **libraries,
        decoder: its_version,
        "python": python,
    }


@functools.cache
def code_digest() -> str:
    """Hash the code that a worker runs [12 hex digits]."""
    digest = hashlib.sha256()
    for room in ROOMS:
        (folder,) = map(Path, importlib.import_module(room).__path__)
        for path in sorted(folder.rglob("*.py")):
            digest.update(f"{room}/{path.relative_to(folder).as_posix()}\0".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:12]


def _own_version() -> dict[str, str]:
    try:
        return {DISTRIBUTION: metadata.version(DISTRIBUTION)}
    except metadata.PackageNotFoundError:
        return {}
