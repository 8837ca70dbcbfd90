"""Stores to test on: a folder, moto's S3 server in its own process, and SeaweedFS."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from seaweedfs import SeaweedFS

from storage.buckets import Bucket
from storage.folders import Folder
from storage.layout import create_store
from storage.locations import Location
from storage.s3_requests import Requests


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
        _wait_for(f"{url}/moto-api/", process)
        yield {"endpoint_url": url, "key": "AKTESTKEY", "secret": "test-secret-value"}
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def bucket(s3_options: dict[str, Any]) -> Bucket:
    """Make an empty bucket on moto."""
    return _new_bucket(s3_options)


@pytest.fixture(params=["folder", "moto", pytest.param("seaweedfs", marks=pytest.mark.services)])
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


@pytest.fixture
def store(tmp_path: Path) -> Location:
    """Make an empty store in a folder."""
    return create_store(tmp_path / "store")


def _new_bucket(options: dict[str, Any]) -> Bucket:
    name = f"test-{uuid.uuid4().hex[:12]}"
    location = Bucket(name, "", options)
    Requests(name, options).send("CREATE", location.uri, "create_bucket")
    return location


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        if process.poll() is not None:
            raise RuntimeError(f"the S3 server ended with {process.returncode}")
        try:
            urllib.request.urlopen(url, timeout=1)
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
        else:
            return
    raise TimeoutError(f"no answer from {url} in 30 s (process {os.getpid()})")
