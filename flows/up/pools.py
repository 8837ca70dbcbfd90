"""The work pools: their names, and how many runs each may have at a time."""

from __future__ import annotations

from collections.abc import Mapping

POOLS: Mapping[str, int | None] = {"cpu": None, "gpu": 1}
"""Name -> runs at a time; one training a GPU."""
