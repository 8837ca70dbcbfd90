"""Fixtures of the tests on real servers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from command import Genre
from prefect_server import Server, prefect_server


@pytest.fixture
def genre(tmp_path: Path) -> Genre:
    """Give the command, to be run in an empty folder."""
    return Genre(tmp_path)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Start a server of the module's own."""
    with prefect_server(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture(scope="module")
def deployed(server: Server) -> Server:
    """Give the server the pools and all deployments of prefect.yaml."""
    for pool in ("cpu", "gpu"):
        server.prefect("work-pool", "create", "--type", "process", pool)
    server.prefect("deploy", "--all")
    return server
