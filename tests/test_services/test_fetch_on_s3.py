"""`genre fetch` into a real S3 server, and features of what it put there."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from hashlib import sha1
from pathlib import Path

import pytest
from archive_server import ArchiveServer, serving
from command import Genre
from fma_zips import sha1_of, zipped
from prefect_server import Server, finished_run, save_credentials, start_deployment, worker
from seaweedfs import SeaweedFS
from tiny_fma import write_tiny_fma

from storage.places.address import parse_location
from storage.places.folder import Folder
from storage.places.location import Location

pytestmark = pytest.mark.services

CLIPS = 28
NO_AWS = {name: "" for name in os.environ if name.startswith("AWS_") and "CA_BUNDLE" not in name}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Make the tiny data set with its list of hashes, and a table that is uploaded in parts."""
    folder = tmp_path_factory.mktemp("data") / "fma"
    write_tiny_fma(folder)
    found = {
        entry.name: (folder / entry.name).read_bytes()
        for entry in Folder(folder).list(recursive=True)
    }
    for name in ("fma_small", "fma_metadata"):
        inside = {path: data for path, data in found.items() if path.startswith(name)}
        lines = [
            f"{sha1(data).hexdigest()}  {path.removeprefix(f'{name}/')}\n"
            for path, data in inside.items()
        ]
        found[f"{name}/checksums"] = "".join(lines).encode()
    found["fma_metadata/raw_tracks.csv"] = random.Random(1).randbytes(20_000_000)
    return found


@pytest.fixture(scope="module")
def archives(files: dict[str, bytes]) -> dict[str, bytes | Path]:
    return {
        f"{name}.zip": zipped({path: files[path] for path in files if path.startswith(name)})
        for name in ("fma_small", "fma_metadata")
    }


@pytest.fixture
def mirror(archives: dict[str, bytes | Path]) -> Iterator[ArchiveServer]:
    with serving(files=dict(archives)) as server:
        yield server


@pytest.fixture
def on_s3(genre: Genre, server: Server, seaweedfs: SeaweedFS) -> Genre:
    """Give the command with the environments of Prefect's server and of S3's."""
    seaweedfs.make_bucket("fetched")
    return Genre(genre.folder, {**seaweedfs.environment(), "PREFECT_API_URL": server.api})


def hashes(mirror: ArchiveServer) -> dict[str, str]:
    return {
        name.removesuffix(".zip"): sha1_of(data)
        for name, data in mirror.files.items()
        if isinstance(data, bytes)
    }


def tree(data: Location) -> dict[str, bytes]:
    return {
        entry.name: (data / entry.name).read_bytes()
        for entry in data.list(recursive=True)
        if not entry.name.startswith(".fetch/")
    }


@pytest.mark.parametrize("stream", [False, True], ids=["archive", "stream"])
def test_fetched_verified_mended_and_used(
    on_s3: Genre,
    mirror: ArchiveServer,
    seaweedfs: SeaweedFS,
    files: dict[str, bytes],
    tmp_path: Path,
    stream: bool,
) -> None:
    data = parse_location(f"s3://fetched/{stream}", seaweedfs.options())
    asked = [
        *("fetch", "fma_small", "--to", data.uri, "--mirror", mirror.url, "--workers", "2"),
        *(f"--sha1={name}={value}" for name, value in hashes(mirror).items()),
        *(["--stream"] if stream else ["--archives", tmp_path / "archives"]),
        "--json",
    ]
    told = on_s3(*asked)
    assert told.code == 0, told.err
    assert told.json["to"] == data.uri
    assert told.json["files"] == told.json["written"] == len(files)
    assert told.json["bytes"] == sum(map(len, files.values()))
    assert told.json["verified"] == [*([] if stream else ["sha1"]), "crc32", "checksums"]
    assert tree(data) == files
    assert (tmp_path / "archives").exists() is not stream

    mirror.requests.clear()
    before = data.list(recursive=True)
    again = on_s3(*asked)
    assert (again.json["written"], again.json["reused"]) == (0, len(files))
    assert mirror.requests == []
    assert data.list(recursive=True) == before

    for name in ("fma_small/000/000103.mp3", "fma_metadata/raw_tracks.csv"):
        (data / name).write_bytes(bytes(len(files[name])))
    mended = on_s3(*asked, "--verify")
    assert (mended.json["written"], mended.json["reused"]) == (2, len(files) - 2)
    assert tree(data) == files

    features = on_s3("features", "--data", data.uri, "--store", "store", "--workers", "1", "--json")
    assert features.code == 0, features.err
    assert features.json["written"] == CLIPS
    assert features.json["reasons"] == {"missing": 1}


def test_a_deployment_with_a_block(
    deployed: Server,
    seaweedfs: SeaweedFS,
    archives: dict[str, bytes | Path],
    files: dict[str, bytes],
    tmp_path: Path,
) -> None:
    """From a bucket to a bucket, on a worker that has no AWS variable."""
    options = seaweedfs.options()
    seaweedfs.make_bucket("mirror")
    for name, content in archives.items():
        assert isinstance(content, bytes)
        (parse_location("s3://mirror", options) / name).write_bytes(content)
    started = start_deployment(
        deployed,
        "fetch-dataset",
        dataset="fma_small",
        to="s3://mirror/data",
        mirror="s3://mirror",
        sha1={name[:-4]: sha1_of(data) for name, data in archives.items() if data},  # type: ignore[arg-type]
        stream=True,
        workers=1,
        storage_block=save_credentials(deployed, "mirror", options),
    )
    with worker(deployed, "cpu", folder=tmp_path, **NO_AWS):
        run = finished_run(deployed, started["id"])
    assert run["state_type"] == "COMPLETED", run["state"]["message"]
    assert tree(parse_location("s3://mirror/data", options)) == files
    logs = deployed.post("logs/filter", {"limit": 200})
    for told in (run, logs, deployed.post("artifacts/filter", {})):
        assert options["secret"] not in str(told)
