"""A download ends whole or not at all, whatever the server does."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path
from types import SimpleNamespace

import pytest
from archive_server import ArchiveServer, serving
from fma_zips import sha1_of
from limits import STEP_S

from storage.archives.address import parse_origin
from storage.archives.download import download
from storage.archives.http_origin import HttpOrigin
from storage.archives.origin import Stored
from storage.archives.retries import Patience, Tries
from storage.errors import Mismatched, NotFound, Refused, StorageError, UnknownFormat, Unreachable
from storage.places.bucket import Bucket
from storage.places.folder import Folder

CONTENT = b"PK\x03\x04" + random.Random(3).randbytes(3_000_000)
SHA1 = sha1_of(CONTENT)
QUICK = Patience(tries=3, first_s=0.01, longest_s=0.02)


@pytest.fixture
def server() -> Iterator[ArchiveServer]:
    with serving(files={"x.zip": CONTENT}) as server:
        yield server


@pytest.fixture
def target(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "data" / "x.zip")


def origin(server: ArchiveServer, *, stall_limit_s: float = STEP_S) -> HttpOrigin:
    return HttpOrigin(f"{server.url}/x.zip", stall_limit_s)


def get(server: ArchiveServer, target: Folder, *, sha1: str = SHA1) -> list[str]:
    """Download, and return what was said."""
    said: list[str] = []
    download(origin(server), target, sha1=sha1, patience=QUICK, say=said.append)
    return said


def left_beside(target: Folder) -> list[str]:
    return sorted(path.name for path in target.path.parent.iterdir())


def interrupted(server: ArchiveServer, target: Folder) -> int:
    """Stop a download at some byte, as a kill would, and return how many there are."""

    class KilledError(Exception):
        pass

    def kill(done: int, _size: int | None) -> None:
        if done > 1_000_000:
            raise KilledError

    with pytest.raises(KilledError):
        download(origin(server), target, sha1=SHA1, on_bytes=kill)
    assert not target.exists()
    return (target.path.parent / ".x.zip.partial").stat().st_size


def test_a_download(server: ArchiveServer, target: Folder) -> None:
    assert get(server, target) == []
    assert target.read_bytes() == CONTENT
    assert left_beside(target) == ["x.zip"]


def test_a_line_that_drops_again_and_again_gets_there(
    server: ArchiveServer, target: Folder
) -> None:
    server.drop_after = (1, 200_000)
    assert get(server, target) == []
    assert target.read_bytes() == CONTENT
    assert len(server.requests) > 3 * QUICK.tries
    assert server.sent < 1.1 * len(CONTENT) + 65_536 * len(server.requests)


def test_an_interrupted_download_goes_on_where_it_stopped(
    server: ArchiveServer, target: Folder
) -> None:
    have = interrupted(server, target)
    assert have > 1_000_000
    server.requests.clear()
    assert get(server, target) == []
    assert server.requests == [("x.zip", f"bytes={have}-")]
    assert target.read_bytes() == CONTENT


def test_a_download_that_was_whole_but_not_renamed_asks_for_nothing(
    server: ArchiveServer, target: Folder
) -> None:
    interrupted(server, target)
    (target.path.parent / ".x.zip.partial").write_bytes(CONTENT)
    server.requests.clear()
    get(server, target)
    assert server.requests == []
    assert target.read_bytes() == CONTENT


def test_bytes_that_nobody_noted_are_not_trusted(server: ArchiveServer, target: Folder) -> None:
    target.path.parent.mkdir()
    (target.path.parent / ".x.zip.partial").write_bytes(b"PK\x03\x04 of something else")
    get(server, target)
    assert target.read_bytes() == CONTENT


def test_a_server_without_ranges(server: ArchiveServer, target: Folder) -> None:
    have = interrupted(server, target)
    server.has_ranges = False
    (sentence,) = get(server, target)
    assert f"serves no byte ranges: it begins anew, without {have:,} bytes" in sentence
    assert target.read_bytes() == CONTENT


def test_a_server_without_ranges_that_always_drops(server: ArchiveServer, target: Folder) -> None:
    server.has_ranges, server.drop_after = False, (100_000, 100_000)
    with pytest.raises(Unreachable, match="in 3 tries in a row; run the same command again"):
        get(server, target)
    assert left_beside(target) == [".x.zip.partial", ".x.zip.partial.json"]


def test_a_content_that_changed_midway(server: ArchiveServer, target: Folder) -> None:
    interrupted(server, target)
    changed = b"PK\x03\x04" + random.Random(4).randbytes(2_000_000)
    server.files["x.zip"] = changed
    (sentence,) = get(server, target, sha1=sha1_of(changed))
    assert "changed since" in sentence
    assert "it begins anew" in sentence
    assert target.read_bytes() == changed


def test_a_content_that_changed_midway_without_an_etag(
    server: ArchiveServer, target: Folder
) -> None:
    server.has_etag = False
    interrupted(server, target)
    server.files["x.zip"] = CONTENT[:-1_000] + bytes(1_000)
    with pytest.raises(Mismatched):
        get(server, target, sha1=sha1_of(bytes(5)))
    assert left_beside(target) == []
    server.files["x.zip"] = CONTENT
    get(server, target)
    assert target.read_bytes() == CONTENT


def test_a_server_that_tells_no_length(server: ArchiveServer, target: Folder) -> None:
    server.has_length = False
    get(server, target)
    assert target.read_bytes() == CONTENT


def test_a_line_that_stalls(server: ArchiveServer, target: Folder) -> None:
    server.stall_after, server.stall_s = 500_000, 3.0
    download(origin(server, stall_limit_s=0.5), target, sha1=SHA1, patience=QUICK)
    assert target.read_bytes() == CONTENT
    assert len(server.requests) == 2


def test_faults_of_the_server_pass(server: ArchiveServer, target: Folder) -> None:
    server.failures = QUICK.tries - 1
    get(server, target)
    assert target.read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("status", "error", "says"),
    [
        (404, NotFound, r"is not there \(404 Not Found\); check --mirror"),
        (403, Refused, r"answered 403 Forbidden; check --mirror"),
        (503, Unreachable, r"answered 503 Service Unavailable, in 3 tries in a row"),
    ],
)
def test_answers(
    server: ArchiveServer, target: Folder, status: int, error: type[StorageError], says: str
) -> None:
    server.status = status
    with pytest.raises(error, match=says) as caught:
        get(server, target)
    assert type(caught.value) is error
    assert caught.value.remedied_by_user is (status != 503)
    assert not target.exists()


def test_a_captive_portal(server: ArchiveServer, target: Folder) -> None:
    server.files["x.zip"] = b"<html>Please sign in</html>"
    server.content_type = "text/html; charset=utf-8"
    with pytest.raises(UnknownFormat, match=r"a web page .* sign in"):
        get(server, target)
    server.content_type = "application/octet-stream"
    with pytest.raises(UnknownFormat, match=r"is no zip archive .*<html>"):
        get(server, target)
    assert left_beside(target) == []


def test_a_wrong_hash(server: ArchiveServer, target: Folder) -> None:
    with pytest.raises(Mismatched, match=f"has the sha1 {SHA1}, not {'0' * 40}; it was deleted"):
        get(server, target, sha1="0" * 40)
    assert left_beside(target) == []


def test_nobody_listens(target: Folder) -> None:
    with pytest.raises(Unreachable, match=r"does not answer: .* in 3 tries in a row"):
        download(HttpOrigin("http://127.0.0.1:9/x.zip"), target, sha1=SHA1, patience=QUICK)


def test_a_password_is_never_shown(target: Folder) -> None:
    found = parse_origin("http://me:secret@127.0.0.1:9/x.zip")
    with pytest.raises(Unreachable) as caught:
        download(found, target, sha1=SHA1, patience=QUICK)
    assert "secret" not in str(caught.value)
    assert "http://127.0.0.1:9/x.zip" in str(caught.value)


@pytest.mark.parametrize("password", ["secret", "se:cr@et"])
def test_a_login_opens_a_mirror(server: ArchiveServer, target: Folder, password: str) -> None:
    server.login = f"me:{password}"
    address = f"{server.url}/x.zip"
    with pytest.raises(Refused, match="401"):
        download(parse_origin(address), target, sha1=SHA1, patience=QUICK)
    found = parse_origin(address.replace("//", f"//me:{password}@"))
    assert (found.uri, password in repr(found)) == (address, False)
    assert found == parse_origin(address, login=server.login)
    download(found, target, sha1=SHA1, patience=QUICK)
    assert target.read_bytes() == CONTENT


@pytest.mark.parametrize(
    "address", ["http://me:secret@/x.zip", "http://me:sec/secret@host/x.zip", "http://h/x?t=secret"]
)
def test_an_address_that_is_refused_shows_no_secret(address: str) -> None:
    with pytest.raises(UnknownFormat, match="give http://host/folder") as caught:
        parse_origin(address)
    assert "sec" not in str(caught.value)


@pytest.mark.parametrize("asked", ["7", "date", "soon", ""])
def test_a_server_that_asks_to_wait_is_given_its_time(
    server: ArchiveServer, target: Folder, asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr("storage.archives.retries.time", SimpleNamespace(sleep=waits.append))
    server.failures = 1
    server.retry_after = formatdate(time.time() + 9, usegmt=True) if asked == "date" else asked
    get(server, target)
    assert target.read_bytes() == CONTENT
    (wait,) = waits
    assert {"7": wait == 7, "date": 7 < wait <= 9}.get(asked, wait < 1)


def test_no_server_is_given_more_than_five_minutes(
    server: ArchiveServer, target: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr("storage.archives.retries.time", SimpleNamespace(sleep=waits.append))
    server.failures, server.retry_after = 1, "86400"
    get(server, target)
    assert waits == [300.0]


def test_a_server_that_does_not_say_which_part_it_gives(
    server: ArchiveServer, target: Folder
) -> None:
    interrupted(server, target)
    server.says_which = False
    facts = origin(server).facts()
    assert (facts.size, facts.has_ranges) == (len(CONTENT), False)
    (sentence,) = get(server, target)
    assert sentence.endswith("gives parts without saying which: it begins anew")
    assert target.read_bytes() == CONTENT


@pytest.mark.parametrize("has_length", [True, False])
def test_an_empty_answer(server: ArchiveServer, target: Folder, has_length: bool) -> None:
    server.files["x.zip"], server.has_length = b"", has_length
    with pytest.raises(UnknownFormat, match="no zip archive: it has 0 bytes"):
        get(server, target)
    assert left_beside(target) == []


@pytest.mark.parametrize("limit", ["abc", "0", "-1", "inf"])
def test_a_stall_limit_that_is_none(limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENRE_STALL_LIMIT", limit)
    with pytest.raises(UnknownFormat, match=f"GENRE_STALL_LIMIT is '{limit}'; give seconds"):
        parse_origin("http://127.0.0.1:9/x.zip")


def test_from_a_folder_and_a_bucket(target: Folder, tmp_path: Path, bucket: Bucket) -> None:
    for place in (Folder(tmp_path / "mirror" / "x.zip"), bucket / "mirror" / "x.zip"):
        place.write_bytes(CONTENT)
        download(Stored(place), target, sha1=SHA1)
        assert target.read_bytes() == CONTENT
        target.delete()
    with pytest.raises(NotFound, match=r"mirror/y.zip is not there; check --mirror"):
        download(Stored(bucket / "mirror" / "y.zip"), target, sha1=SHA1)


@pytest.mark.parametrize("address", ["ftp://host/x.zip", "http:///x.zip", "gs://box/x.zip"])
def test_addresses_that_are_refused(address: str) -> None:
    with pytest.raises(UnknownFormat, match="give http://"):
        parse_origin(address)


def test_the_note_is_of_the_bytes(server: ArchiveServer, target: Folder) -> None:
    interrupted(server, target)
    note = json.loads((target.path.parent / ".x.zip.partial.json").read_bytes())
    assert note["source"] == f"{server.url}/x.zip"
    assert note["size"] == len(CONTENT)
    assert note["etag"].startswith('"')


def test_waits_grow_and_only_fruitless_tries_count() -> None:
    patience = Patience(tries=8, first_s=0.5, longest_s=30)
    draw = random.Random(1)
    for fruitless, longest in ((0, 0.5), (1, 0.5), (2, 1), (5, 8), (7, 30), (60, 30)):
        waits = [patience.wait_s(fruitless, draw=draw) for _ in range(50)]
        assert longest / 2 <= min(waits) < max(waits) <= longest
    tries = Tries(patience=QUICK)
    for gained in (False, False, True, False, False, True):
        tries.failed(Unreachable("a fault."), gained=gained)
    tries.failed(Unreachable("a fault."), gained=False)
    tries.failed(Unreachable("a fault."), gained=False)
    with pytest.raises(Unreachable, match=r"^a fault, in 3 tries in a row"):
        tries.failed(Unreachable("a fault."), gained=False)
