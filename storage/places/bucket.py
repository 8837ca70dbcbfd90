"""A prefix of an S3 bucket behind the face of `storage.places.location.Location`.

Nothing is cached: what another worker wrote a moment ago must be seen. S3 has no rename; a PUT is
whole or not at all. `create` uses `If-None-Match: *`, `replace_if` uses `If-Match`; each such PUT
carries a token of its own, by which one whose answer was lost knows what it wrote itself.
"""

import contextlib
import itertools
import uuid
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from storage.errors import (
    AlreadyThere,
    NotFound,
    Refused,
    Rewritten,
    StorageError,
    UnknownFormat,
)
from storage.places import credentials, uploads
from storage.places.listing import EMPTY_PART, HIDDEN, Listing, PassedBy, Reason
from storage.places.location import Entry, Location
from storage.places.options import StorageOptions, given_options
from storage.places.s3_errors import ConditionFailedError, RangeBeyondEndError
from storage.places.s3_requests import Answer, Requests

RANGE = 16 * 2**20
"""Bytes of one request where an object is too large to be held whole."""

_PAGE = 1000  # the most that a LIST gives


@dataclass(frozen=True)
class Bucket(Location):
    """An object or prefix of an S3 bucket.

    Parameters
    ----------
    bucket, key : str
        `s3://<bucket>/<key>`; the key has no slash at either end.
    options : Mapping
        Options of `s3fs.S3FileSystem`. They may hold credentials: they are never shown, and a
        pickle holds their name only; see `storage.places.credentials`.
    """

    bucket: str
    key: str
    options: StorageOptions = field(default_factory=dict, repr=False, compare=False)

    @staticmethod
    def of_address(address: str, options: StorageOptions | None) -> "Bucket":
        """Take `bucket/prefix` apart; without options, those of the environment are taken."""
        bucket, _, key = address.partition("/")
        if not bucket:
            raise UnknownFormat(f"'s3://{address}' names no bucket: give s3://bucket/prefix.")
        return Bucket(bucket, key.strip("/"), dict(given_options() if options is None else options))

    @property
    def uri(self) -> str:
        """`s3://bucket/key`."""
        return f"s3://{self.bucket}/{self.key}".rstrip("/")

    @property
    def name(self) -> str:
        """The last part of the key, or the bucket's name."""
        return self.key.rpartition("/")[2] or self.bucket

    @property
    def parent(self) -> "Bucket":
        """The prefix that this lies in."""
        return Bucket(self.bucket, self.key.rpartition("/")[0], self.options)

    def __reduce__(self) -> tuple[object, ...]:
        return _arrived, (self.bucket, self.key, credentials.travelling(self.options))

    def __truediv__(self, name: str) -> "Bucket":
        return Bucket(self.bucket, f"{self.key}/{name}".strip("/"), self.options)

    def read_bytes(self) -> bytes:
        """GET the object."""
        return self._send("GET", "get_object").body

    def read_range(self, start: int, length: int) -> bytes:
        """GET a part of the object."""
        if length <= 0:
            return b""
        span = f"bytes={start}-{start + length - 1}"
        try:
            return self._send("GET", "get_object", Range=span).body
        except RangeBeyondEndError:
            return b""

    def read_with_etag(self) -> tuple[bytes, str]:
        """GET the object, with its ETag."""
        answer = self._send("GET", "get_object")
        return answer.body, _etag(answer)

    def download(self, target: Path) -> None:
        """GET the object in ranges of one and the same version."""
        whole = self._head()
        size, etag = int(whole.fields["ContentLength"]), _etag(whole)
        with target.open("wb") as file:
            for first in range(0, size, RANGE):
                span = f"bytes={first}-{min(first + RANGE, size) - 1}"
                file.write(self._range(span, etag))

    def _range(self, span: str, etag: str) -> bytes:
        try:
            return self._send("GET", "get_object", Range=span, IfMatch=_quoted(etag)).body
        except ConditionFailedError:
            raise Rewritten(f"{self.uri} was written again while it was read.") from None

    def write_bytes(self, data: bytes) -> None:
        """PUT the object."""
        self._send("PUT", "put_object", Body=data)

    def write_pieces(self, pieces: Iterable[bytes]) -> str:
        """PUT the object, or upload it in parts where it is larger than one."""
        parts = uploads.split(pieces)
        first = next(parts, b"")
        if len(first) < uploads.PART:
            return _etag(self._send("PUT", "put_object", Body=first))
        return uploads.upload(self._send, itertools.chain([first], parts)).strip('"')

    def create(self, data: bytes) -> str:
        """PUT with `If-None-Match: *`."""
        etag = self._put_if("PUT (If-None-Match)", data, IfNoneMatch="*")
        if etag is None:
            raise AlreadyThere(f"{self.uri} is there already.")
        return etag

    def replace_if(self, data: bytes, *, etag: str) -> str | None:
        """PUT with `If-Match`."""
        try:
            return self._put_if("PUT (If-Match)", data, IfMatch=_quoted(etag))
        except NotFound:
            return None

    def _put_if(self, operation: str, data: bytes, **condition: str) -> str | None:
        """PUT under a condition; None if it did not hold."""
        token = uuid.uuid4().hex
        metadata = {uploads.WRITER: token}
        try:
            answer = self._send(operation, "put_object", Body=data, Metadata=metadata, **condition)
        except ConditionFailedError:
            return self._etag_written_by(token)
        return _etag(answer)

    def _etag_written_by(self, token: str) -> str | None:
        # a PUT whose answer was lost is sent again, and then fails on what it wrote itself
        try:
            there = self._send("HEAD", "head_object")
        except NotFound:
            return None
        is_mine = there.fields.get("Metadata", {}).get(uploads.WRITER) == token
        return _etag(there) if is_mine else None

    def delete_if(self, *, etag: str) -> bool:  # noqa: ARG002
        """Answer False: S3 knows no conditional delete that all servers share."""
        return False

    def entry(self) -> Entry | None:
        """HEAD the object."""
        if not self.key:
            return None
        try:
            there = self._head()
        except NotFound:
            return None
        return Entry(name=self.name, size=int(there.fields["ContentLength"]), etag=_etag(there))

    def _head(self) -> Answer:
        try:
            return self._send("HEAD", "head_object")
        except Refused:
            # what refuses a HEAD has no body that says why
            self._send("GET", "get_object", Range="bytes=0-0")
            raise

    def make_way(self) -> None:
        """Do nothing: a bucket has no folders."""

    def delete(self) -> None:
        """DELETE the object."""
        with contextlib.suppress(NotFound):
            self._send("DELETE", "delete_object")

    def list(self, *, recursive: bool = False) -> Sequence[Entry]:
        """LIST the objects with their sizes and ETags."""
        found = []
        for page in self._pages(delimiter="" if recursive else "/"):
            for item in page.get("Contents", []):
                name = item["Key"][len(self._prefix) :]
                if name and not name.endswith("/") and not _is_hidden(name):
                    found.append(_entry(name, item))
        return sorted(found, key=lambda entry: entry.name)

    def walk(self) -> Listing:
        """LIST the objects; a key with an empty part (`a//b`) is passed by."""
        files, passed_by = [], {}
        for page in self._pages(delimiter=""):
            for item in page.get("Contents", []):
                name = item["Key"][len(self._prefix) :]
                if not name or name.endswith("/"):  # stands for a folder
                    continue
                if (passed := _odd(name)) is not None:
                    passed_by[passed.path] = passed
                    continue
                files.append(_entry(name, item))
        return Listing(
            files=tuple(sorted(files, key=lambda entry: entry.name)),
            passed_by=tuple(passed_by[path] for path in sorted(passed_by)),
        )

    def folders(self) -> Sequence[str]:
        """LIST the common prefixes below."""
        prefixes = [
            item["Prefix"]
            for page in self._pages(delimiter="/")
            for item in page.get("CommonPrefixes", [])
        ]
        names = [prefix[len(self._prefix) :].rstrip("/") for prefix in prefixes]
        return sorted(name for name in names if name and not _is_hidden(name))

    def age(self) -> float:
        """Compare the object's time with that of the server's answer, rather too young than old."""
        answer = self._send("HEAD", "head_object").fields
        now = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
        rounding_s = 1.0  # both are whole seconds
        return float((now - answer["LastModified"]).total_seconds()) - rounding_s

    def sweep(self) -> int:
        """Answer 0: a PUT leaves nothing behind."""
        return 0

    def abort_uploads(self, names: Container[str]) -> int:
        """Abort those uploads in parts to these objects that were begun and never completed."""
        aborted = 0
        # listing takes a permission that nothing else needs, and some servers cannot do it
        with contextlib.suppress(StorageError):
            requests = Requests(self.bucket, self.options)
            for key, upload in uploads.unfinished(requests, uri=self.uri, prefix=self._prefix):
                if key[len(self._prefix) :] in names:
                    uploads.abort(Bucket(self.bucket, key, self.options)._send, upload)
                    aborted += 1
        return aborted

    def zarr_store(self) -> Any:
        """Open as zarr's fsspec store, read-only."""
        from zarr.storage import FsspecStore

        from storage.places.s3_for_zarr import asynchronous_file_system

        return FsspecStore(
            asynchronous_file_system(self.options),
            read_only=True,
            path=f"{self.bucket}/{self.key}".rstrip("/"),
        )

    @property
    def _prefix(self) -> str:
        return f"{self.key}/" if self.key else ""

    def _send(self, operation: str, method: str, **arguments: Any) -> Answer:
        requests = Requests(self.bucket, self.options)
        return requests.send(operation, self.uri, method, Key=self.key, **arguments)

    def _pages(self, *, delimiter: str) -> Iterator[Mapping[str, Any]]:
        requests = Requests(self.bucket, self.options)
        token: dict[str, str] = {}
        while True:
            page = requests.send(
                "LIST",
                self.uri,
                "list_objects_v2",
                Prefix=self._prefix,
                Delimiter=delimiter,
                MaxKeys=_PAGE,
                **token,
            ).fields
            yield page
            if not page.get("IsTruncated"):
                return
            token = {"ContinuationToken": page["NextContinuationToken"]}


def _arrived(bucket: str, key: str, sign: str) -> Bucket:
    options = credentials.arrived(sign, where=f"s3://{bucket}") if sign else {}
    assert isinstance(options, dict)
    return Bucket(bucket, key, options)


def _etag(answer: Answer) -> str:
    found = answer.fields.get("ETag")
    if not found:
        raise UnknownFormat(
            "What answers has no ETag, as every S3 server has; check AWS_ENDPOINT_URL."
        )
    return str(found).strip('"')


def _quoted(etag: str) -> str:
    return f'"{etag}"'


def _entry(name: str, item: Mapping[str, Any]) -> Entry:
    return Entry(name=name, size=int(item["Size"]), etag=item["ETag"].strip('"'))


def _odd(name: str) -> PassedBy | None:
    """Say what is wrong with a key, if anything; a hidden folder counts once, as on a disk."""
    parts = name.split("/")
    for place, part in enumerate(parts, start=1):
        if part.startswith("."):
            return PassedBy(path="/".join(parts[:place]), reason=Reason.NAME, why=HIDDEN)
        if not part:
            return PassedBy(path=name, reason=Reason.NAME, why=EMPTY_PART)
    return None


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or "/." in name
