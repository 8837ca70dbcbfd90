"""What all tests share: real clips where they are, a Prefect of their own, a real S3 server."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from seaweedfs import SeaweedFS, weed

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def real_music() -> Path:
    """Find the folder of real clips, or skip with the sentence that says how to get it."""
    folder = Path(os.environ.get("GENRE_REAL_MUSIC", ROOT.parent / "shared" / "real_music"))
    if not (folder / "fma_metadata" / "tracks.csv").is_file():
        pytest.skip(f"no real clips at {folder}: set GENRE_REAL_MUSIC to a folder of FMA's layout")
    return folder


@pytest.fixture(scope="session", autouse=True)
def prefect_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the tests' Prefect database, and everything they start, apart from the user's."""
    home = tmp_path_factory.mktemp("prefect")
    before = {name: os.environ.get(name) for name in ("PREFECT_HOME", "PREFECT_API_URL")}
    os.environ["PREFECT_HOME"] = str(home)
    os.environ.pop("PREFECT_API_URL", None)
    yield
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


@pytest.fixture(scope="session")
def seaweedfs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SeaweedFS]:
    """Run a SeaweedFS for the whole session; what is to be killed or filled is a test's own."""
    if not weed():
        pytest.fail("SeaweedFS is not installed: run `make services`")
    with SeaweedFS(tmp_path_factory.mktemp("seaweedfs")) as server:
        yield server


@pytest.fixture(scope="session", autouse=True)
def interrupts_are_heard() -> None:
    """Let commands that the tests start hear Ctrl-C: a shell's background jobs inherit deafness."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
