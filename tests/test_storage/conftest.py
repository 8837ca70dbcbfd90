"""What the storage tests share beside the stores of `tests/conftest.py`."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage.places.location import Location
from storage.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Location:
    """Make an empty store in a folder."""
    return Store.create(tmp_path / "store")
