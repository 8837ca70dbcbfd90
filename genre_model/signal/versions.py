"""Versions of what the numbers depend on, for manifests and model folders."""

from __future__ import annotations

import functools
import platform
from collections.abc import Mapping
from importlib import metadata

FEATURE_LIBRARIES = ("numpy", "scipy", "soundfile", "soxr")


@functools.cache
def decoder_version() -> str:
    """Name the decoder and its version, as `libsndfile-1.2.2`."""
    import soundfile

    return f"libsndfile-{soundfile.__libsndfile_version__}"


@functools.cache
def library_versions(names: tuple[str, ...] = FEATURE_LIBRARIES) -> Mapping[str, str]:
    """Return the versions of Python and of the named distributions."""
    found = {name: metadata.version(name) for name in names}
    return {"python": platform.python_version(), **found}
