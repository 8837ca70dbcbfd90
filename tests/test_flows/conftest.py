"""Fixtures of the flows' tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from command import Genre
from tiny_fma import write_tiny_fma


@pytest.fixture
def genre(tmp_path: Path) -> Genre:
    """Give the command, to be run in an empty folder."""
    return Genre(tmp_path)


@pytest.fixture(scope="session")
def tiny_fma(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a data set of 29 tracks."""
    folder = tmp_path_factory.mktemp("fma")
    write_tiny_fma(folder)
    return folder
