"""What all tests share: real clips where they are, a Prefect of their own, stores of every kind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fault_processes import wait_until
from limits import STEP_S, TEST_S, TRY_S
from one_failure import pytest_runtest_setup
from seaweedfs import SeaweedFS, weed

from storage.places.bucket import Bucket
from storage.places.folder import Folder
from storage.places.location import Location
from storage.places.s3_requests import Requests

__all__ = ["pytest_runtest_setup"]

ROOT = Path(__file__).parents[1]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give every test the one limit."""
    for item in items:
        item.add_marker(pytest.mark.timeout(TEST_S))


@pytest.fixture(scope="session")
def real_music() -> Path:
    """Find the folder of real clips, or skip with the sentence that says how to get it."""
    folder = Path(os.environ.get("GENRE_REAL_MUSIC", ROOT.parent / "shared" / "real_music"))
    if not (folder / "fma_metadata" / "tracks.csv").is_file():
        pytest.skip(f"no real clips at {folder}: set GENRE_REAL_MUSIC to a folder of FMA's layout")
    return folder


_PREFECT = (
    "PREFECT_HOME",
    "PREFECT_API_URL",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS",
)


@pytest.fixture(scope="session", autouse=True)
def prefect_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the tests' Prefect database, and everything they start, apart from the user's."""
    home = tmp_path_factory.mktemp("prefect")
    before = {name: os.environ.get(name) for name in _PREFECT}
    os.environ["PREFECT_HOME"] = str(home)
    os.environ.pop("PREFECT_API_URL", None)
    os.environ["PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS"] = f"{STEP_S:.0f}"
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


@pytest.fixture(scope="session")
def s3_options() -> Iterator[dict[str, Any]]:
    """Run moto's S3 server, and give the options that reach it."""
    port = _free_port()
    # nosec: the server checks no signature
    process = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: _answers(f"{url}/moto-api/", process), what=f"{url} answers")
        yield {"endpoint_url": url, "key": "AKTESTKEY", "secret": "test-secret-value"}
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def bucket(s3_options: dict[str, Any]) -> Bucket:
    """Make an empty bucket on moto."""
    return _new_bucket(s3_options)


@pytest.fixture(
    params=[
        "folder",
        pytest.param("moto", marks=pytest.mark.whole),
        pytest.param("seaweedfs", marks=pytest.mark.services),
    ]
)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Location:
    """Give an empty location of every kind."""
    if request.param == "folder":
        return Folder(tmp_path / "place")
    if request.param == "moto":
        found: Bucket = request.getfixturevalue("bucket")
        return found / "some/prefix"
    server: SeaweedFS = request.getfixturevalue("seaweedfs")
    # one bucket for all tests: each is given volumes of its own, of which there is an end
    server.make_bucket("tests")
    return Bucket("tests", f"some/{uuid.uuid4().hex}", server.options())


def _new_bucket(options: dict[str, Any]) -> Bucket:
    name = f"test-{uuid.uuid4().hex[:12]}"
    location = Bucket(name, "", options)
    Requests(name, options).send("CREATE", location.uri, "create_bucket")
    return location


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(url: str, process: subprocess.Popen[bytes]) -> bool:
    if process.poll() is not None:
        raise RuntimeError(f"the S3 server ended with {process.returncode}")
    try:
        urllib.request.urlopen(url, timeout=TRY_S).close()
    except OSError:
        return False
    return True
