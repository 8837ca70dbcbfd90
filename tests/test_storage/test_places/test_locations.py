"""One contract that every kind of location keeps."""

from __future__ import annotations

import errno
import os
import pickle
import stat
import threading
import time
import traceback
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from storage.errors import (
    AlreadyThere,
    CredentialsRefused,
    Full,
    NotFound,
    Refused,
    StorageError,
    UnknownFormat,
    Unreachable,
)
from storage.places.address import parse_location
from storage.places.bucket import Bucket
from storage.places.folder import _REFUSED, Folder
from storage.places.folder import explained as explained_of_folder
from storage.places.location import Location
from storage.places.s3_errors import explained
from storage.places.s3_requests import Answer


class TestContract:
    def test_what_is_written_is_read(self, place: Location) -> None:
        target = place / "a" / "b.bin"
        for content in (b"", b"one", bytes(range(256)) * 1000):
            target.write_bytes(content)
            assert target.read_bytes() == content

    def test_a_range_is_read(self, place: Location) -> None:
        (place / "file").write_bytes(b"0123456789")
        assert (place / "file").read_range(0, 3) == b"012"
        assert (place / "file").read_range(7, 9) == b"789"
        assert (place / "file").read_range(4, 0) == b""
        assert (place / "file").read_range(10, 1) == b""
        assert (place / "file").read_range(99, 9) == b""
        with pytest.raises(NotFound):
            (place / "nothing").read_range(0, 1)

    @pytest.mark.parametrize("size", [0, 5, 40_000_000])
    def test_pieces_are_written_whole_or_not_at_all(self, place: Location, size: int) -> None:
        target, piece = place / "file", bytes(range(200)) * 5_000
        content = (piece * (size // len(piece) + 1))[:size]
        pieces = (content[at : at + len(piece)] for at in range(0, size, len(piece)))
        etag = target.write_pieces(pieces)
        entry = target.entry()
        assert entry is not None
        assert (entry.size, entry.etag) == (size, etag)
        assert target.read_bytes() == content

        def breaks_off() -> Iterator[bytes]:
            yield content
            raise ConnectionError("broke off")

        with pytest.raises((StorageError, ConnectionError)):
            target.write_pieces(breaks_off())
        assert target.entry() == entry
        assert [each.name for each in place.list()] == ["file"]

    def test_uploads_that_a_kill_left_are_aborted(self, place: Location) -> None:
        """Those of the names asked for; on a folder there are none."""
        left = ["large", "deeper/large", "others"]
        for name in left if isinstance(place, Bucket) else ():
            number = _begin_upload(place / name)
            _send(place / name, "upload_part", UploadId=number, PartNumber=1, Body=bytes(6_000_000))
        expected = 2 if isinstance(place, Bucket) else 0
        assert place.abort_uploads({"large", "deeper/large", "never begun"}) == expected
        assert place.abort_uploads({"large", "deeper/large"}) == 0
        assert place.abort_uploads({"others"}) == expected // 2
        assert place.list(recursive=True) == []

    def test_nothing_there(self, place: Location) -> None:
        with pytest.raises(NotFound) as caught:
            (place / "nothing").read_bytes()
        assert place.name in str(caught.value)
        assert isinstance(caught.value, FileNotFoundError)
        with pytest.raises(NotFound):
            (place / "nothing").read_with_etag()
        with pytest.raises(NotFound):
            (place / "nothing").age()
        assert not (place / "nothing").exists()
        assert (place / "nothing").entry() is None
        assert (place / "nothing").list() == []
        assert (place / "nothing").folders() == []
        (place / "nothing").delete()

    def test_create_refuses_what_is_there(self, place: Location) -> None:
        target = place / "once.json"
        version = target.create(b"first")
        with pytest.raises(AlreadyThere):
            target.create(b"second")
        assert target.read_with_etag() == (b"first", version)

    def test_replace_only_what_was_read(self, place: Location) -> None:
        target = place / "swap.json"
        first = target.create(b"1")
        second = target.replace_if(b"2", etag=first)
        assert second is not None
        assert target.replace_if(b"3", etag=first) is None
        assert target.read_with_etag() == (b"2", second)
        assert (place / "none.json").replace_if(b"x", etag=first) is None
        assert not (place / "none.json").exists()

    def test_delete_if_never_deletes_another_version(self, place: Location) -> None:
        target = place / "claim.json"
        first = target.create(b"1")
        second = target.replace_if(b"2", etag=first)
        assert second is not None
        assert target.delete_if(etag=first) is False
        assert target.read_bytes() == b"2"
        if target.delete_if(etag=second):
            assert not target.exists()

    def test_listing(self, place: Location) -> None:
        for name in ("b", "a/1", "a/b/2", "c-not-a/3"):
            (place / name).write_bytes(name.encode())
        for hidden in (".hidden", "a/.lock", ".git/x", "a/.git/x/y"):
            (place / hidden).write_bytes(b"not listed")
        assert [entry.name for entry in place.list()] == ["b"]
        entries = place.list(recursive=True)
        assert [entry.name for entry in entries] == ["a/1", "a/b/2", "b", "c-not-a/3"]
        assert [entry.size for entry in entries] == [3, 5, 1, 9]
        assert [entry.name for entry in (place / "a").list(recursive=True)] == ["1", "b/2"]
        assert place.folders() == ["a", "c-not-a"]
        only = (place / "b").entry()
        assert only is not None
        assert (only.name, only.size, only.etag) == ("b", 1, place.list()[0].etag)

    def test_listing_sees_what_was_just_written(self, place: Location) -> None:
        assert place.list() == []
        for number in range(5):
            (place / f"{number}").write_bytes(b"x")
            assert len(place.list()) == number + 1
        (place / "0").delete()
        assert [entry.name for entry in place.list()] == ["1", "2", "3", "4"]

    def test_a_large_one_is_copied_in_parts(
        self, place: Location, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("storage.places.bucket.RANGE", 1000)
        content = os.urandom(2500)
        (place / "large").write_bytes(content)
        (place / "large").download(tmp_path / "copy")
        assert (tmp_path / "copy").read_bytes() == content
        with pytest.raises(NotFound):
            (place / "none").download(tmp_path / "none")

    def test_etag_changes_with_the_content(self, place: Location) -> None:
        target = place / "file"
        target.write_bytes(b"one")
        before = place.list()[0]
        time.sleep(0.02)
        target.write_bytes(b"two")
        after = place.list()[0]
        assert before.size == after.size
        assert before.etag != after.etag

    def test_of_many_that_swap_one_wins(
        self, place: Location, request: pytest.FixtureRequest
    ) -> None:
        target = place / "race.json"
        version = target.create(b"start")
        new: list[str | None] = []

        def swap(number: int) -> None:
            new.append(target.replace_if(f"{number}".encode(), etag=version))

        threads = [threading.Thread(target=swap, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len([found for found in new if found]) >= 1
        if "moto" not in request.node.callspec.id:  # moto compares and writes without a lock
            assert len([found for found in new if found]) == 1
        assert target.read_with_etag()[1] in new

    def test_age_is_small_and_grows(self, place: Location) -> None:
        target = place / "young"
        target.write_bytes(b"x")
        first = target.age()
        time.sleep(1.1)
        assert -1.1 <= first < 5
        assert target.age() > first

    def test_travels_and_names_itself(self, place: Location) -> None:
        (place / "x").write_bytes(b"y")
        copy = pickle.loads(pickle.dumps(place))
        assert copy == place
        assert (copy / "x").read_bytes() == b"y"
        assert (place / "a/b").uri == f"{place.uri}/a/b"
        assert (place / "a" / "b").name == "b"
        assert str(place) == place.uri


class TestParse:
    def test_kinds(self, tmp_path: Path) -> None:
        assert parse_location(tmp_path) == Folder(tmp_path)
        assert parse_location(str(tmp_path)) == Folder(tmp_path)
        assert parse_location(f"file://{tmp_path}") == Folder(tmp_path)
        assert parse_location("s3://box/some/prefix/") == Bucket("box", "some/prefix")
        assert parse_location(Folder(tmp_path)) == Folder(tmp_path)
        assert parse_location("s3://box").uri == "s3://box"

    def test_relative_paths_become_absolute(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir("/")
        assert parse_location("genre-store").uri == "/genre-store"

    def test_schemes_have_no_case(self, tmp_path: Path) -> None:
        assert parse_location("S3://box/x") == Bucket("box", "x")
        assert parse_location(f"FILE://{tmp_path}") == Folder(tmp_path)
        assert parse_location(f"file://localhost{tmp_path}") == Folder(tmp_path)

    @pytest.mark.parametrize(
        "uri", ["gs://box/x", "s3://", "s3:///x", "http://host/x", "s3:/box/x", "s3:box", "", " "]
    )
    def test_refused(self, uri: str) -> None:
        with pytest.raises(UnknownFormat, match="s3://"):
            parse_location(uri)

    @pytest.mark.parametrize("uri", ["~no-such-user-here/x", "file://host/x", "file://x"])
    def test_no_folder_of_this_machine(self, uri: str) -> None:
        with pytest.raises(UnknownFormat, match="give "):
            parse_location(uri)


class TestFolder:
    def test_a_failed_write_leaves_nothing(self, tmp_path: Path) -> None:
        (tmp_path / "taken").mkdir()
        with pytest.raises(Refused, match="taken"):
            Folder(tmp_path / "taken").write_bytes(b"x")
        assert sorted(path.name for path in tmp_path.rglob("*")) == ["taken"]

    def test_a_file_where_a_folder_should_be(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_bytes(b"")
        said = rf"{tmp_path}/file is a file, where a folder must be; name a folder"
        for below in ("x", "deeper/x"):
            place = Folder(tmp_path / "file") / below
            for act in (lambda at: at.write_bytes(b"x"), lambda at: at.create(b"x")):
                with pytest.raises(Refused, match=said):
                    act(place)
            with pytest.raises(Refused, match=said) as caught:
                place.read_bytes()
            assert "permissions" not in str(caught.value)
        with pytest.raises(Refused, match="it is a file, where a folder must be"):
            Folder(tmp_path / "file").folders()

    def test_a_link_to_nothing_and_links_in_a_circle(self, tmp_path: Path) -> None:
        (tmp_path / "dead").symlink_to(tmp_path / "nowhere")
        (tmp_path / "circle").symlink_to(tmp_path / "circle")
        with pytest.raises(Refused, match=r"/dead is a link to what is not there; mend it"):
            (Folder(tmp_path / "dead") / "x").create(b"x")
        with pytest.raises(Refused, match="remove the link there that leads to itself"):
            (Folder(tmp_path / "circle") / "x").read_bytes()

    @pytest.mark.parametrize("number", sorted({*_REFUSED, errno.ENOENT}))
    def test_what_is_refused_has_its_own_remedy(self, tmp_path: Path, number: int) -> None:
        with (
            pytest.raises((Refused, NotFound)) as caught,
            explained_of_folder("writing", tmp_path / "x"),
        ):
            raise OSError(number, "it failed")
        assert caught.value.remedied_by_user
        assert "; " in str(caught.value)
        assert ("permissions" in str(caught.value)) == (number in (errno.EACCES, errno.EPERM))

    def test_where_nothing_can_be_made(self) -> None:
        if not Path("/proc/self").is_dir():
            pytest.skip("this system has no /proc")
        with pytest.raises(StorageError, match=r"writing /proc/x/y failed: .*; .*name another pl"):
            Folder(Path("/proc/x/y")).write_bytes(b"x")

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
    def test_permission(self, tmp_path: Path) -> None:
        target = Folder(tmp_path / "secret")
        target.write_bytes(b"x")
        target.path.chmod(0)
        with pytest.raises(Refused, match="Permission denied"):
            target.read_bytes()

    def test_a_full_disk_is_named(self) -> None:
        if not Path("/dev/full").exists():
            pytest.skip("this system has no /dev/full")
        with (
            pytest.raises(Full, match="free some space"),
            explained_of_folder("writing", Path("/dev/full")),
            open("/dev/full", "wb", buffering=0) as full,
        ):
            full.write(b"x")

    def test_files_get_the_usual_permissions(self, tmp_path: Path) -> None:
        mask = os.umask(0o022)
        try:
            Folder(tmp_path / "plain").write_bytes(b"")
        finally:
            os.umask(mask)
        assert stat.S_IMODE((tmp_path / "plain").stat().st_mode) == 0o644

    def test_create_without_hard_links(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: Any) -> None:
            raise OSError(95, "Operation not supported")

        monkeypatch.setattr(os, "link", refuse)
        target = Folder(tmp_path / "once")
        target.create(b"first")
        with pytest.raises(AlreadyThere):
            target.create(b"second")
        assert target.read_bytes() == b"first"
        assert [entry.name for entry in Folder(tmp_path).list()] == ["once"]

    def test_a_dead_link_is_not_listed(self, tmp_path: Path) -> None:
        (tmp_path / "dead").symlink_to(tmp_path / "nowhere")
        (tmp_path / "live").write_bytes(b"x")
        assert [entry.name for entry in Folder(tmp_path).list()] == ["live"]


class TestBucket:
    def test_no_such_bucket(self, s3_options: dict[str, Any]) -> None:
        place = Bucket("no-such-bucket", "x", s3_options)
        for operation in (
            place.read_bytes,
            place.list,
            lambda: place.write_bytes(b"x"),
            lambda: place.create(b"x"),
        ):
            with pytest.raises(Refused, match="there is no bucket 'no-such-bucket'"):
                operation()

    def test_no_server(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("storage.places.s3_requests.ATTEMPTS", 2)
        options = {
            "endpoint_url": "http://127.0.0.1:9",
            "key": "AKSECRETKEY",
            "secret": "very-secret",
        }
        place = Bucket("box", "x", options)
        with pytest.raises(Unreachable, match="GET s3://box/x") as caught:
            place.read_bytes()
        assert "SECRET" not in str(caught.value).upper()

    @pytest.mark.parametrize(
        ("code", "status", "expected"),
        [
            ("AccessDenied", 403, Refused),
            ("InvalidAccessKeyId", 403, CredentialsRefused),
            ("SignatureDoesNotMatch", 403, CredentialsRefused),
            ("ExpiredToken", 400, CredentialsRefused),
            ("403", 403, Refused),
            ("NoSuchBucket", 404, CredentialsRefused),
            ("NoSuchKey", 404, NotFound),
            ("404", 404, NotFound),
            ("SlowDown", 503, Unreachable),
            ("InternalError", 500, Unreachable),
            ("502", 502, Unreachable),
            ("InsufficientStorage", 507, Full),
            ("TooManyRequests", 429, Unreachable),
            ("RequestLimitExceeded", 400, Unreachable),
            ("ConditionalRequestConflict", 409, Unreachable),
            ("NotImplemented", 501, Refused),
            ("InvalidObjectState", 403, Refused),
            ("SomethingNew", 400, Refused),
            ("", 403, Refused),
        ],
    )
    def test_answers_become_sentences(
        self, code: str, status: int, expected: type[StorageError]
    ) -> None:
        from botocore.exceptions import ClientError  # type: ignore[import-untyped]

        answer = {
            "Error": {"Code": code, "Message": "key AKSECRETKEY is not known"},
            "ResponseMetadata": {"HTTPStatusCode": status},
        }
        error = ClientError(answer, "GetObject")
        failed = "GET s3://box/some/key failed"
        with (
            pytest.raises(expected, match=failed) as caught,
            explained("GET", "s3://box/some/key", "box"),
        ):
            raise error
        assert "'box'" in str(caught.value)
        assert type(caught.value) is expected
        shown = "".join(traceback.format_exception(caught.value))
        assert "SECRETKEY is not known" not in shown

    @pytest.mark.parametrize(
        ("code", "status", "said"),
        [
            ("AccessDenied", 403, "the permissions of"),
            ("", 403, "the permissions of"),
            ("SomethingNew", 400, "check the address"),
            ("NotImplemented", 501, "If-None-Match"),
            ("InvalidObjectState", 403, "restore it"),
        ],
    )
    def test_remedies_are_those_of_the_refusal(self, code: str, status: int, said: str) -> None:
        from botocore.exceptions import ClientError

        answer = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
        with pytest.raises(Refused, match=said), explained("PUT", "s3://box/x", "box"):
            raise ClientError(answer, "PutObject")

    def test_a_broken_configuration_is_no_fault_of_the_server(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        (tmp_path / "config").write_text("no [ configuration")
        monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
        with pytest.raises(UnknownFormat, match="AWS configuration file"):
            Bucket("box", "x", {"endpoint_url": "http://127.0.0.1:9", "secret": "1"}).read_bytes()
        (tmp_path / "config").write_text("")
        options = {"endpoint_url": "http://127.0.0.1:9", "profile": "no-such"}
        with pytest.raises(Refused, match="the profile for bucket"):
            Bucket("box", "x", options).read_bytes()

    def test_a_web_server_is_no_s3_server(self, web_page: str) -> None:
        place = Bucket("box", "x", {"endpoint_url": web_page, "key": "a", "secret": "b"})
        for operation in (place.exists, place.read_with_etag):
            with pytest.raises(UnknownFormat, match="check AWS_ENDPOINT_URL"):
                operation()

    def test_a_server_without_tls(self, web_page: str) -> None:
        options = {"endpoint_url": web_page.replace("http:", "https:"), "key": "a", "secret": "b"}
        with pytest.raises(Refused, match="check http:// or https://"):
            Bucket("box", "x", options).read_bytes()

    def test_the_root_is_no_object(self, bucket: Bucket) -> None:
        assert not bucket.exists()

    def test_empty_parts_of_keys(self, bucket: Bucket) -> None:
        (bucket / "a//b").write_bytes(b"x")
        assert (bucket / "a").folders() == []
        assert [entry.name for entry in bucket.list(recursive=True)] == ["a//b"]
        assert (bucket / "a//b").read_bytes() == b"x"

    def test_no_credentials(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            monkeypatch.delenv(name)
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
        place = Bucket("box", "x", {"endpoint_url": "http://127.0.0.1:9"})
        with pytest.raises(Refused, match="AWS_ACCESS_KEY_ID"):
            place.read_bytes()

    def test_credentials_are_never_shown(self, s3_options: dict[str, Any]) -> None:
        place = Bucket("box", "x", s3_options)
        for shown in (repr(place), str(place), place.uri):
            assert s3_options["secret"] not in shown
            assert s3_options["key"] not in shown

    def test_more_than_a_page_of_objects(
        self, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("storage.places.bucket._PAGE", 10)
        place = bucket / "many"
        for number in range(25):
            (place / f"{number}").write_bytes(b"x")
            (place / f"folder-{number}" / "x").write_bytes(b"x")
        assert len(place.list()) == 25
        assert len(place.folders()) == 25
        assert len(bucket.list(recursive=True)) == 50
        assert bucket.folders() == ["many"]


@pytest.fixture
def web_page() -> Iterator[str]:
    """Serve one page at every address."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"hi" if self.command != "HEAD" else b"")

        do_PUT = do_HEAD = do_GET  # noqa: N815

        def log_message(self, *_arguments: object) -> None:
            """Be quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def _begin_upload(place: Location) -> str:
    return str(_send(place, "create_multipart_upload").fields["UploadId"])


def _send(place: Location, method: str, **arguments: Any) -> Answer:
    assert isinstance(place, Bucket)
    return place._send("TEST", method, **arguments)
