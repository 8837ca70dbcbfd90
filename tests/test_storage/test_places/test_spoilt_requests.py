"""Requests that are spoilt on their way: bounded retries, the same bytes, no second winner."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from s3_proxy import Asked, Proxy, a_fifth

from storage.errors import (
    AlreadyThere,
    CredentialsRefused,
    Full,
    NoAnswer,
    StorageError,
    Unreachable,
)
from storage.places.bucket import Bucket
from storage.places.s3_requests import ATTEMPTS, ATTEMPTS_AT_LEAST
from storage.store import Store

pytestmark = pytest.mark.whole


@pytest.fixture
def proxy(s3_options: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """Stand before moto; pauses are short."""
    monkeypatch.setattr("storage.places.s3_requests._FIRST_PAUSE_S", 0.001)
    with Proxy(s3_options["endpoint_url"]) as found:
        yield found


@pytest.fixture
def place(bucket: Bucket, proxy: Proxy) -> Bucket:
    """Give a prefix behind the proxy."""
    options = {
        **bucket.options,
        "endpoint_url": proxy.endpoint_url,
        "config_kwargs": {"read_timeout": 2},
    }
    return Bucket(bucket.bucket, "some", options)


def test_a_fifth_of_all_requests_spoilt(place: Bucket, proxy: Proxy, tmp_path: Path) -> None:
    proxy.fault = a_fifth(5, kinds=("reset", "lost answer", "truncate", "500", "503", "delay"))
    contents = {f"{number}": os.urandom(20_000) for number in range(15)}
    for name, content in contents.items():
        (place / name).write_bytes(content)
    assert [entry.name for entry in place.list()] == sorted(contents)
    for name, content in contents.items():
        assert (place / name).read_bytes() == content
        (place / name).download(tmp_path / name)
        assert (tmp_path / name).read_bytes() == content
    assert sum(proxy.spoilt.values()) > 8


def test_a_lost_answer_to_a_create_is_no_conflict(place: Bucket, proxy: Proxy) -> None:
    spoilt = iter(["lost answer", "", "", "", "lost answer"])
    proxy.fault = lambda _asked: next(spoilt, "")
    version = (place / "claim").create(b"mine")
    with pytest.raises(AlreadyThere):
        (place / "claim").create(b"mine")
    spoilt = iter(["lost answer"])
    newer = (place / "claim").replace_if(b"newer", etag=version)
    assert newer is not None
    assert (place / "claim").read_with_etag() == (b"newer", newer)
    assert (place / "claim").replace_if(b"late", etag=version) is None


@pytest.mark.parametrize("spoilt", ["create", "part", "complete"])
def test_a_lost_answer_to_an_upload_in_parts(place: Bucket, proxy: Proxy, spoilt: str) -> None:
    content = os.urandom(17 * 2**20)
    signs = {
        "create": lambda asked: asked.method == "POST" and asked.path.endswith("uploads"),
        "part": lambda asked: "partNumber=2" in asked.path,
        "complete": lambda asked: asked.method == "POST" and "uploadId=" in asked.path,
    }
    lost = iter(["lost answer"])
    proxy.fault = lambda asked: next(lost, "") if signs[spoilt](asked) else ""
    etag = (place / "large").write_pieces(iter([content]))
    assert proxy.spoilt["lost answer"] == 1
    assert (place / "large").read_bytes() == content
    entry = (place / "large").entry()
    assert entry is not None
    assert entry.etag == etag
    # The first answer told of an upload that nobody has heard of.
    assert place.abort_uploads({"large"}) == (1 if spoilt == "create" else 0)


def test_uploads_that_may_not_be_listed_are_left_alone(place: Bucket, proxy: Proxy) -> None:
    proxy.fault = lambda asked: "expired" if "uploads" in asked.path else ""
    assert place.abort_uploads({"large"}) == 0
    assert len(proxy.asked) == 1


def test_a_stalled_answer_is_given_up(place: Bucket, proxy: Proxy) -> None:
    (place / "x").write_bytes(b"there")
    spoilt = iter(["stall"])
    proxy.fault = lambda _asked: next(spoilt, "")
    assert (place / "x").read_bytes() == b"there"


@pytest.mark.parametrize("fault", ["reset", "500", "503", "truncate"])
def test_what_never_passes_has_a_bound(place: Bucket, proxy: Proxy, fault: str) -> None:
    (place / "x").write_bytes(b"there")
    proxy.asked.clear()
    proxy.fault = lambda _asked: fault
    with pytest.raises(Unreachable, match=rf"GET {place.uri}/x failed.*'{place.bucket}'"):
        (place / "x").read_bytes()
    assert len(proxy.asked) == ATTEMPTS


def test_no_answer_to_the_first_request_is_told_apart(place: Bucket, proxy: Proxy) -> None:
    proxy.fault = lambda _asked: "reset"
    with pytest.raises(NoAnswer, match="see whether its server"):
        Store.open(place)


def test_expired_credentials_are_asked_once(place: Bucket, proxy: Proxy) -> None:
    proxy.fault = lambda _asked: "expired"
    for operation in (
        (place / "x").read_bytes,
        place.list,
        lambda: (place / "x").write_bytes(b""),
        lambda: (place / "x").create(b""),
    ):
        proxy.asked.clear()
        with pytest.raises(CredentialsRefused, match=rf"{place.bucket}.*has expired"):
            operation()
        assert len(proxy.asked) == 1


def test_what_a_head_cannot_say_is_asked_for(place: Bucket, proxy: Proxy, tmp_path: Path) -> None:
    (place / "x").write_bytes(b"there")
    proxy.fault = lambda _asked: "expired"
    for operation in ((place / "x").exists, lambda: (place / "x").download(tmp_path / "x")):
        proxy.asked.clear()
        with pytest.raises(CredentialsRefused, match=rf"{place.bucket}.*has expired"):
            operation()
        assert proxy.asked[-1].method == "GET"
        assert len(proxy.asked) <= 6  # botocore asks for the bucket's region by itself


def test_a_server_that_asks_to_wait_is_not_full(place: Bucket, proxy: Proxy) -> None:
    proxy.fault = lambda asked: "503" if asked.method == "PUT" else ""
    with pytest.raises(Unreachable, match=r"PUT .*asks to wait"):
        (place / "x").write_bytes(b"x")
    assert len(proxy.asked) == ATTEMPTS


def test_a_server_that_takes_nothing_more_but_answers_reads(place: Bucket, proxy: Proxy) -> None:
    def full(asked: Asked) -> str:
        return "500" if asked.method == "PUT" else ""

    proxy.fault = full
    with pytest.raises(Full, match=r"PUT .*see whether its disk or quota is full"):
        (place / "x").write_bytes(b"x")
    assert len(proxy.asked) == ATTEMPTS + 1
    assert not (place / "x").exists()


def test_swaps_behind_faults_have_one_winner(place: Bucket, proxy: Proxy) -> None:
    target = place / "race"
    version = target.create(b"start")
    proxy.fault = a_fifth(3, kinds=("reset", "lost answer", "500"))
    won = [target.replace_if(f"{number}".encode(), etag=version) for number in range(12)]
    assert len([found for found in won if found]) == 1
    assert target.read_bytes() == b"0"


def test_threads_share_a_client(place: Bucket) -> None:
    failed: list[StorageError] = []

    def work(number: int) -> None:
        try:
            (place / f"{number}").write_bytes(b"x" * number)
            assert len((place / f"{number}").read_bytes()) == number
        except StorageError as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=[number]) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


def test_a_silent_server_is_given_up_before_all_tries_are_used(
    place: Bucket, proxy: Proxy, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("storage.places.s3_requests.LONG_S", 0.9)
    monkeypatch.setattr("storage.places.s3_requests.SAID_AFTER_S", 0.2)
    proxy.fault = lambda _asked: "stall"
    hasty = Bucket(
        place.bucket, place.key, {**place.options, "config_kwargs": {"read_timeout": 0.4}}
    )
    with pytest.raises(Unreachable, match="no whole answer"):
        hasty.read_bytes()
    assert len(proxy.asked) == ATTEMPTS_AT_LEAST < ATTEMPTS
    (said,) = caplog.messages
    assert "It is tried again" in said
