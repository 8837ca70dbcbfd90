"""Features runs on S3 whose server is killed, or stands behind a network that spoils requests."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from fault_genre import Genre, sentences
from fault_kills import NOTES
from fault_processes import Started, nothing_left
from fault_stores import FeaturesFolder, as_folder, assert_same_features
from limits import STEP_S
from s3_proxy import Proxy, a_fifth
from seaweedfs import SeaweedFS, weed

from storage.errors import StorageError
from storage.places.address import parse_location
from storage.places.bucket import Bucket

pytestmark = pytest.mark.faults

KILLS = 5
STORE = "s3://box/store"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SeaweedFS]:
    """Run a SeaweedFS that a test may kill."""
    assert weed(), "SeaweedFS is not installed: run `make services`"
    with SeaweedFS(tmp_path / "seaweedfs") as found:
        found.make_bucket("box")
        yield found


@pytest.fixture
def on_s3(genre: Genre, server: SeaweedFS) -> Callable[..., Genre]:
    """Give the command with what reaches the server, or what stands before it.

    The session's workers have no AWS environment: what they know travels with their jobs.
    """

    def give(endpoint_url: str = "") -> Genre:
        options = server.options(config_kwargs={"read_timeout": 3})
        options["endpoint_url"] = endpoint_url or server.endpoint_url
        return Genre(genre.folder, {**genre.env, "GENRE_STORAGE_OPTIONS": json.dumps(options)})

    return give


def copied(server: SeaweedFS, folder: Path) -> FeaturesFolder:
    """Copy the store to a folder."""
    return as_folder(parse_location(STORE, server.options()), folder)


def acknowledged(server: SeaweedFS) -> dict[str, str]:
    """List shards that have a manifest, and manifests: name -> ETag."""
    store = Bucket("box", "store/features", server.options())
    found = {entry.name: entry.etag for entry in store.list(recursive=True)}
    done = [int(Path(name).stem) for name in found if "/manifests/" in name]
    return {
        name: etag
        for name, etag in found.items()
        if "/manifests/" in name or any(f"/c/{shard}/0/0/0" in name for shard in done)
    }


def finish(genre: Genre, arguments: Sequence[object], run: Started) -> int:
    """Wait for a run; one that failed did so in a sentence, and the next one completes it."""
    code = run.wait()
    if code == 0:
        return 0
    assert code in (1, 2), run.said
    assert sentences(run), run.said
    genre(*arguments)
    return code


def test_a_server_killed_five_times(
    server: SeaweedFS,
    on_s3: Callable[..., Genre],
    data: Path,
    undisturbed: FeaturesFolder,
    scheduler: str,
    tmp_path: Path,
) -> None:
    draw = random.Random(14)
    genre = on_s3()
    arguments = ("features", "--data", data, "--store", STORE, "--scheduler", scheduler)
    with nothing_left(genre.start(*arguments)) as run:
        _wait_for_a_manifest(server, run)
        kills = 0
        while kills < KILLS and run.process.poll() is None:
            before = acknowledged(server)
            server.kill()
            kills += 1
            time.sleep(draw.uniform(0.1, 1.0))
            server.start()
            there = acknowledged(server)
            assert {name: there.get(name) for name in before} == before
            time.sleep(draw.uniform(0.2, 2.0))
        code = finish(genre, arguments, run)
    assert kills >= 2
    assert_same_features(copied(server, tmp_path / "copy"), undisturbed)
    NOTES.append(f"SeaweedFS killed {kills} times in a features run, which ended with {code}")


def test_a_network_that_spoils_a_fifth(
    server: SeaweedFS,
    on_s3: Callable[..., Genre],
    data: Path,
    undisturbed: FeaturesFolder,
    scheduler: str,
    tmp_path: Path,
) -> None:
    """Audio and store both lie behind it."""
    music = parse_location("s3://box/music", server.options())
    for path in data.rglob("*.*"):
        (music / path.relative_to(data).as_posix()).write_bytes(path.read_bytes())
    with Proxy(server.endpoint_url, a_fifth(14)) as proxy:
        genre = on_s3(proxy.endpoint_url)
        arguments = ("features", "--data", music.uri, "--store", STORE, "--scheduler", scheduler)
        with nothing_left(genre.start(*arguments)) as run:
            code = run.wait()
            assert code == 0, run.said
        assert len(proxy.spoilt) == 7, proxy.spoilt
    found, expected = copied(server, tmp_path / "copy").array(), undisturbed.array()
    assert sorted(found) == sorted(expected)
    assert [name for name in expected if found[name] != expected[name]] == []


def test_two_drivers_on_one_store(
    server: SeaweedFS,
    on_s3: Callable[..., Genre],
    data: Path,
    undisturbed: FeaturesFolder,
    scheduler: str,
    tmp_path: Path,
) -> None:
    """One runs, the other waits and says so; every shard is written once."""
    with Proxy(server.endpoint_url) as proxy:
        genre = on_s3(proxy.endpoint_url)
        arguments = ("features", "--data", data, "--store", STORE, "--scheduler", scheduler)
        with (
            nothing_left(genre.start(*arguments)) as one,
            nothing_left(genre.start(*arguments)) as other,
        ):
            assert one.wait() == 0, one.said
            assert other.wait() == 0, other.said
            waited = [run for run in (one, other) if "; waiting for it" in run.said]
            assert len(waited) == 1
        shards = len(undisturbed.finished)
        assert proxy.of("PUT", "/manifests/") == shards
        assert proxy.of("PUT", "/log_mel/c/") == len(undisturbed.objects)
    assert_same_features(copied(server, tmp_path / "copy"), undisturbed)


def _wait_for_a_manifest(server: SeaweedFS, run: Started) -> None:
    store = Bucket("box", "store/features", server.options())
    deadline = time.monotonic() + STEP_S
    while time.monotonic() < deadline and run.process.poll() is None:
        try:
            if any("log_mel/c" in entry.name for entry in store.list(recursive=True)):
                return
        except StorageError:
            pass
        time.sleep(0.3)
    raise AssertionError(f"nothing was written: {run.said}")
