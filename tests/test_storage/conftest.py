"""What the storage tests share beside the stores of `tests/conftest.py`."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage.array.layout import create_store
from storage.places.location import Location


@pytest.fixture
def store(tmp_path: Path) -> Location:
    """Make an empty store in a folder."""
    return create_store(tmp_path / "store")
