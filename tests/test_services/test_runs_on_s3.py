"""The whole command on a real S3 server: everywhere a folder works, and no secret anywhere."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from command import Genre
from limits import COMMAND_S
from prefect_server import Server, finished_run, save_credentials, start_deployment, worker
from seaweedfs import SeaweedFS
from tiny_fma import write_tiny_fma

from storage.places.address import parse_location
from storage.places.folder import Folder
from storage.places.location import Location

pytestmark = pytest.mark.services

NO_AWS = {name: "" for name in os.environ if name.startswith("AWS_") and "CA_BUNDLE" not in name}


@pytest.fixture(scope="module")
def data(seaweedfs: SeaweedFS, tmp_path_factory: pytest.TempPathFactory) -> Location:
    """Put the tiny data set into a bucket."""
    folder = tmp_path_factory.mktemp("data") / "fma"
    write_tiny_fma(folder)
    for bucket in ("music", "results"):
        seaweedfs.make_bucket(bucket)
    target = parse_location("s3://music/fma", seaweedfs.options())
    for entry in Folder(folder).list(recursive=True):
        (target / entry.name).write_bytes((Folder(folder) / entry.name).read_bytes())
    return target


@pytest.fixture(scope="module")
def ran(
    seaweedfs: SeaweedFS, data: Location, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Genre, dict[str, Any], str]:
    """Run everything once, from bucket to bucket."""
    genre = Genre(
        tmp_path_factory.mktemp("run"),
        {**seaweedfs.environment(), "PREFECT_LOGGING_LEVEL": "DEBUG"},
    )
    told = genre(
        *("run", "--data", data.uri, "--store", "s3://results/store", "--json"),
        *("--network", "notebook", "--epochs", "1", "--workers", "1"),
    )
    assert told.code == 0, told.err
    return genre, told.json, told.err


def test_everything_lies_in_the_bucket(
    ran: tuple[Genre, dict[str, Any], str], seaweedfs: SeaweedFS
) -> None:
    genre, told, _ = ran
    assert told["features"]["written"] == 28
    assert told["features"]["reasons"] == {"missing": 1}
    assert told["store"] == "s3://results/store"
    assert told["report"].startswith("s3://results/store/models/")
    report = parse_location(told["report"], seaweedfs.options())
    assert b"<html" in report.read_bytes()
    store = parse_location("s3://results/store", seaweedfs.options())
    names = {entry.name for entry in store.list(recursive=True)}
    assert {"store.json", "champion.json"} <= names
    assert any(name.endswith("model.keras") for name in names)
    assert not [path for path in genre.folder.iterdir() if path.name != "prefect"]


def test_status_and_predictions(
    ran: tuple[Genre, dict[str, Any], str], seaweedfs: SeaweedFS, data: Location
) -> None:
    genre, told, _ = ran
    found = genre("status", "--store", "s3://results/store", "--verify", "--json")
    assert found.code == 0, found.err
    assert found.json["champion"] == told["model"]["model"]
    assert found.json["problems"] == []
    song = f"{data.uri}/fma_small/000/000101.mp3"
    said = genre("predict", song, f"{data.uri}/none.mp3", "--store", "s3://results/store", "--json")
    assert said.code == 0, said.err
    good, bad = said.json["predictions"]
    assert (good["path"], good["status"]) == (song, "ok")
    assert (bad["genre"], bad["status"]) == (None, "missing")
    code = (
        "import sys; from tasks.models import open_model\n"
        "for address in sys.argv[1:]: print('genres', *open_model(address).genres)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "s3://results/store", told["model"]["path"]],
        env={**os.environ, **seaweedfs.environment(), "XDG_CACHE_HOME": str(genre.folder / "c")},
        capture_output=True,
        text=True,
        timeout=COMMAND_S,
        check=False,
    )
    assert done.stdout.splitlines() == ["genres Electronic Rock"] * 2, done.stderr


def test_no_secret_anywhere(
    ran: tuple[Genre, dict[str, Any], str], seaweedfs: SeaweedFS, data: Location
) -> None:
    """Look in all that was said, in Prefect's database (runs, logs, artifacts), in the store."""
    genre, told, said = ran
    options = seaweedfs.options()
    again = genre(
        *("features", "--data", data.uri, "--store", "s3://results/again", "--workers", "1"),
        *("--storage-options", f"endpoint_url={seaweedfs.endpoint_url}"),
        GENRE_STORAGE_OPTIONS=f"key={options['key']}\nsecret={options['secret']}",
        **{**NO_AWS, "AWS_ENDPOINT_URL": "", "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""},
    )
    assert again.code == 0, again.err
    store = parse_location("s3://results", options)
    places = {
        "stderr": said,
        "result": str(told),
        "stderr of options": again.err + again.out,
        **{
            str(path): path.read_bytes().decode("latin-1")
            for path in genre.folder.rglob("*")
            if path.is_file()
        },
        **{
            entry.name: (store / entry.name).read_bytes().decode("latin-1")
            for entry in store.list(recursive=True)
        },
    }
    assert any(name.endswith(".db") for name in places)
    assert any(name.endswith("params.json") for name in places)
    assert [name for name, content in places.items() if options["secret"] in content] == []
    shown = {name for name, content in places.items() if options["key"] in content}
    assert shown == set()


def test_a_block_gives_the_options(
    deployed: Server, seaweedfs: SeaweedFS, data: Location, tmp_path: Path
) -> None:
    """A worker in a folder of its own, without any AWS variable; the run's parameters name it."""
    options = seaweedfs.options()
    block = save_credentials(deployed, "bucket", options)
    parameters = {
        "data": data.uri,
        "store": "s3://results/of-a-worker",
        "workers": 1,
        "storage_block": block,
    }
    started = start_deployment(deployed, "build-features", **parameters)
    with worker(deployed, "cpu", folder=tmp_path, **NO_AWS):
        run = finished_run(deployed, started["id"])
    assert run["state_type"] == "COMPLETED", run["state"]["message"]
    assert run["parameters"] == {**run["parameters"], **parameters}
    logs = deployed.post("logs/filter", {"limit": 200})
    for told in (run, logs, deployed.post("artifacts/filter", {})):
        assert options["secret"] not in str(told)
    assert not [path for path in tmp_path.iterdir() if path.name == "genre-store"]
