"""What a user of a bucket can get wrong: one sentence, exit status 2, nothing half-written."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from command import Ended, Genre
from prefect_server import Server
from s3_proxy import Asked, Proxy
from seaweedfs import Identity, SeaweedFS, everything, weed
from tiny_fma import write_tiny_fma

from storage.places.address import parse_location
from storage.places.s3_requests import ATTEMPTS
from storage.store import Store

pytestmark = pytest.mark.services

READER = Identity("reader", ("Read:box", "List:box"))


@pytest.fixture(scope="module")
def server_with_a_reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SeaweedFS]:
    """Run a SeaweedFS that knows who may do everything and who may only read."""
    assert weed(), "SeaweedFS is not installed: run `make services`"
    folder = tmp_path_factory.mktemp("seaweedfs")
    with SeaweedFS(folder, identities=(everything(), READER)) as server:
        server.make_bucket("box")
        Store.create("s3://box/store", server.options())
        yield server


@pytest.fixture
def proxy(server_with_a_reader: SeaweedFS) -> Iterator[Proxy]:
    """Count what is asked."""
    with Proxy(server_with_a_reader.endpoint_url) as found:
        yield found


@pytest.fixture
def environment(server_with_a_reader: SeaweedFS, proxy: Proxy) -> dict[str, str]:
    """Give the environment of the one who may do everything, through the proxy."""
    return {**server_with_a_reader.environment(), "AWS_ENDPOINT_URL": proxy.endpoint_url}


def assert_refused(ended: Ended, *words: str) -> None:
    assert ended.code == 2, ended.err
    assert ended.out == ""
    sentences = [line for line in ended.err.splitlines() if line.startswith("genre: ")]
    assert len(sentences) == 1, ended.err
    assert "Traceback" not in ended.err
    for word in words:
        assert word in sentences[0]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"AWS_ACCESS_KEY_ID": "AKNOBODY"}, ("InvalidAccessKeyId", "check AWS_ACCESS_KEY_ID")),
        ({"AWS_SECRET_ACCESS_KEY": "wrong"}, ("SignatureDoesNotMatch", "AWS_SECRET_ACCESS_KEY")),
        ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, ("no usable credentials",)),
    ],
)
def test_wrong_credentials(
    genre: Genre,
    environment: dict[str, str],
    proxy: Proxy,
    changes: dict[str, str],
    words: tuple[str, ...],
) -> None:
    given = {**environment, **changes, "AWS_EC2_METADATA_DISABLED": "true"}
    ended = genre("status", "--store", "s3://box/store", **given)
    assert_refused(ended, "GET s3://box/store/store.json", "'box'", *words)
    assert len(proxy.asked) <= 1
    assert environment["AWS_SECRET_ACCESS_KEY"] not in ended.err


def test_an_expired_token(genre: Genre, environment: dict[str, str], proxy: Proxy) -> None:
    proxy.fault = lambda _asked: "expired"
    ended = genre("status", "--store", "s3://box/store", **environment)
    assert_refused(ended, "GET s3://box/store/store.json", "'box'", "the session token has expired")
    assert len(proxy.asked) == 1


def test_no_such_bucket(genre: Genre, environment: dict[str, str], proxy: Proxy) -> None:
    ended = genre("status", "--store", "s3://nowhere/store", **environment)
    assert_refused(ended, "GET s3://nowhere/store/store.json", "there is no bucket 'nowhere'")
    assert len(proxy.asked) == 1


def test_no_server_there(genre: Genre, environment: dict[str, str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and never listens
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        ended = genre(
            "status", "--store", "s3://box/store", **{**environment, "AWS_ENDPOINT_URL": url}
        )
    assert_refused(ended, "GET s3://box/store/store.json", "'box'", "AWS_ENDPOINT_URL")


def test_who_may_only_read(
    genre: Genre, server: Server, server_with_a_reader: SeaweedFS, proxy: Proxy, tmp_path: Path
) -> None:
    """Reading works; the first write is refused, once."""
    write_tiny_fma(tmp_path / "fma")
    given = {
        **server_with_a_reader.environment(READER),
        "AWS_ENDPOINT_URL": proxy.endpoint_url,
        "PREFECT_API_URL": server.api,
    }
    assert genre("status", "--store", "s3://box/store", **given).code == 0
    proxy.asked.clear()
    ended = genre("features", "--data", tmp_path / "fma", "--store", "s3://box/store", **given)
    assert_refused(ended, "PUT", "s3://box/store/catalogues", "AccessDenied", "'box'")
    assert proxy.of("PUT") == 1
    store = parse_location("s3://box/store", server_with_a_reader.options())
    assert [entry.name for entry in store.list(recursive=True)] == ["store.json"]


def test_credentials_that_expire_amid_a_run_quarantine_nothing(
    genre: Genre, server: Server, environment: dict[str, str], proxy: Proxy, tmp_path: Path
) -> None:
    """Audio that may not be read any more is no bad audio."""
    write_tiny_fma(tmp_path / "fma")
    music = parse_location(
        "s3://box/music", {"endpoint_url": proxy.endpoint_url, **_keys(environment)}
    )
    for path in (tmp_path / "fma").rglob("*.*"):
        (music / path.relative_to(tmp_path / "fma").as_posix()).write_bytes(path.read_bytes())

    def expire(asked: Asked) -> str:
        return "expired" if "000120.mp3" in asked.path and asked.method == "GET" else ""

    proxy.fault = expire
    arguments = ("features", "--data", "s3://box/music", "--store", "s3://box/of-music")
    given = {**environment, "PREFECT_API_URL": server.api}
    ended = genre(*arguments, "--workers", "1", **given)
    assert_refused(ended, "GET s3://box/music/fma_small/000/000120.mp3", "has expired")
    assert proxy.of("GET", "000120.mp3") == 1
    proxy.fault = lambda _asked: ""
    again = genre(*arguments, "--workers", "1", "--json", **given)
    assert again.code == 0, again.err
    assert again.json["written"] == 28
    assert again.json["reasons"] == {"missing": 1}


def _keys(environment: dict[str, str]) -> dict[str, str]:
    return {"key": environment["AWS_ACCESS_KEY_ID"], "secret": environment["AWS_SECRET_ACCESS_KEY"]}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a tmpfs of 48 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"needs the right to mount a tmpfs (run as root): {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_full_disk(genre: Genre, server: Server, small_disk: Path, tmp_path: Path) -> None:
    """A server whose disk fills up amid a run: the run says so, with space it goes on."""
    write_tiny_fma(tmp_path / "fma")
    with (
        SeaweedFS(small_disk, volume_limit_mb=1) as seaweedfs,
        Proxy(seaweedfs.endpoint_url) as proxy,
    ):
        seaweedfs.make_bucket("box")
        filler = small_disk / "filler"
        arguments = ("features", "--data", tmp_path / "fma", "--store", "s3://box/store")
        given = {
            **seaweedfs.environment(),
            "AWS_ENDPOINT_URL": proxy.endpoint_url,
            "PREFECT_API_URL": server.api,
        }
        Store.create("s3://box/store", seaweedfs.options())
        _fill(filler)
        ended = genre(*arguments, "--workers", "1", **given)
        assert_refused(ended, "PUT", "s3://box/store", "'box'", "disk or quota is full")
        assert proxy.of("PUT") <= 10 + ATTEMPTS
        filler.unlink()
        again = genre(*arguments, "--workers", "1", "--json", **given)
        assert again.code == 0, again.err
        assert again.json["written"] == 28


def _fill(path: Path) -> None:
    """Take all that is left of the disk."""
    try:
        with path.open("wb", buffering=0) as file:
            while True:
                file.write(b"\0" * 4096)
    except OSError:
        return
