"""A prefix of an S3 bucket behind the face of `storage.locations.Location`.

Requests go through s3fs, whose listing cache is off: what another worker wrote a moment ago must
be seen. S3 has no rename; a PUT is whole or not at all. `create` uses `If-None-Match: *`,
`replace_if` uses `If-Match`.
"""

import asyncio
import contextlib
import functools
import itertools
import json
import os
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any

from storage.errors import (
    AlreadyThere,
    Full,
    NotFound,
    Refused,
    StorageError,
    UnknownFormat,
    Unreachable,
)
from storage.locations import Entry, Location

_MISSING = {"NoSuchKey", "404", "NotFound"}
_CONFLICT = {"PreconditionFailed", "412", "ConditionalRequestConflict", "OperationAborted"}
_FULL = {"InsufficientStorage", "507", "QuotaExceeded", "XMinioStorageFull", "EntityTooLarge"}
_FAULT = {"SlowDown", "InternalError", "ServiceUnavailable", "RequestTimeout", "Throttling"}
_BODY_ATTEMPTS = 4
_PAGE = 1000  # the most that a LIST gives
_PART = 16 * 2**20  # at least 5 MiB; S3 takes up to 10,000 of them


class _ConflictError(StorageError):
    """The condition of a conditional request did not hold."""


@dataclass(frozen=True)
class Bucket(Location):
    """An object or prefix of an S3 bucket.

    Parameters
    ----------
    bucket, key : str
        `s3://<bucket>/<key>`; the key has no slash at either end.
    options : Mapping
        Options of `s3fs.S3FileSystem`. They may hold credentials and are never shown.
    """

    bucket: str
    key: str
    options: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @staticmethod
    def of_address(address: str, options: Mapping[str, Any]) -> "Bucket":
        """Take `bucket/prefix` apart."""
        bucket, _, key = address.partition("/")
        if not bucket:
            raise UnknownFormat(f"'s3://{address}' names no bucket: give s3://bucket/prefix.")
        return Bucket(bucket, key.strip("/"), dict(options))

    @property
    def uri(self) -> str:
        """`s3://bucket/key`."""
        return f"s3://{self.bucket}/{self.key}".rstrip("/")

    @property
    def name(self) -> str:
        """The last part of the key, or the bucket's name."""
        return self.key.rpartition("/")[2] or self.bucket

    def __truediv__(self, name: str) -> "Bucket":
        return Bucket(self.bucket, f"{self.key}/{name}".strip("/"), self.options)

    def read_bytes(self) -> bytes:
        """GET the object."""
        return self.read_with_version()[0]

    def read_range(self, start: int, length: int) -> bytes:
        """GET a part of the object."""
        if length <= 0:
            return b""
        with self._explained("GET"):
            data, _ = self._run(
                functools.partial(self._get, Range=f"bytes={start}-{start + length - 1}")
            )
        return bytes(data)

    def read_with_version(self) -> tuple[bytes, str]:
        """GET the object; its version is its ETag."""
        with self._explained("GET"):
            data, etag = self._run(self._get)
        return data, etag

    def write_bytes(self, data: bytes) -> None:
        """PUT the object."""
        self._put("PUT", data)

    def write_pieces(self, pieces: Iterable[bytes]) -> str:
        """PUT the object, or upload it in parts where it is larger than one."""
        parts = _parts(pieces)
        first = next(parts, b"")
        if len(first) < _PART:
            return self._put("PUT", first).strip('"')
        upload = str(self._call("POST", "create_multipart_upload")["UploadId"])
        try:
            done = [
                {"PartNumber": number, "ETag": self._put_part(upload, number, part)}
                for number, part in enumerate(itertools.chain([first], parts), start=1)
            ]
            answer = self._call(
                "POST",
                "complete_multipart_upload",
                UploadId=upload,
                MultipartUpload={"Parts": done},
            )
        except BaseException:
            with contextlib.suppress(StorageError):
                self._call("DELETE", "abort_multipart_upload", UploadId=upload)
            raise
        return str(answer["ETag"]).strip('"')

    def _put_part(self, upload: str, number: int, part: bytes) -> str:
        answer = self._call("PUT", "upload_part", UploadId=upload, PartNumber=number, Body=part)
        return str(answer["ETag"])

    def create(self, data: bytes) -> str:
        """PUT with `If-None-Match: *`."""
        try:
            return self._put("PUT (If-None-Match)", data, IfNoneMatch="*")
        except _ConflictError as error:
            raise AlreadyThere(f"{self.uri} is there already.") from error

    def replace_if(self, data: bytes, *, version: str) -> str | None:
        """PUT with `If-Match`."""
        try:
            return self._put("PUT (If-Match)", data, IfMatch=version)
        except NotFound:
            return None
        except _ConflictError:
            return self._version_if_mine(data)

    def _version_if_mine(self, data: bytes) -> str | None:
        # a PUT whose answer was lost is sent again, and then fails on what it wrote itself
        try:
            current, version = self.read_with_version()
        except NotFound:
            return None
        return version if current == data else None

    def delete_if(self, *, version: str) -> bool:  # noqa: ARG002
        """Answer False: S3 knows no conditional delete that all servers share."""
        return False

    def entry(self) -> Entry | None:
        """HEAD the object."""
        try:
            answer = self._call("HEAD", "head_object")
        except NotFound:
            return None
        etag = answer["ETag"].strip('"')
        return Entry(name=self.name, size=int(answer["ContentLength"]), stamp=etag)

    def delete(self) -> None:
        """DELETE the object."""
        with contextlib.suppress(NotFound):
            self._call("DELETE", "delete_object")

    def list(self, *, recursive: bool = False) -> Sequence[Entry]:
        """LIST the objects with their sizes and ETags."""
        found = []
        for page in self._pages(delimiter="" if recursive else "/"):
            for item in page.get("Contents", []):
                name = item["Key"][len(self._prefix) :]
                if name and not name.endswith("/") and not name.rpartition("/")[2].startswith("."):
                    found.append(
                        Entry(name=name, size=int(item["Size"]), stamp=item["ETag"].strip('"'))
                    )
        return sorted(found, key=lambda entry: entry.name)

    def folders(self) -> Sequence[str]:
        """LIST the common prefixes below."""
        prefixes = [
            item["Prefix"]
            for page in self._pages(delimiter="/")
            for item in page.get("CommonPrefixes", [])
        ]
        return sorted(prefix[len(self._prefix) :].rstrip("/") for prefix in prefixes)

    def age(self) -> float:
        """Compare the object's time with that of the server's answer, rather too young than old."""
        answer = self._call("HEAD", "head_object")
        now = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
        rounding_s = 1.0  # both are whole seconds
        return float((now - answer["LastModified"]).total_seconds()) - rounding_s

    def sweep(self) -> int:
        """Answer 0: a PUT leaves nothing behind."""
        return 0

    def zarr_store(self) -> Any:
        """Open as zarr's fsspec store, read-only."""
        from zarr.storage import FsspecStore

        file_system = _file_system(_as_key(self.options), os.getpid(), asynchronous=True)
        return FsspecStore(
            file_system, read_only=True, path=f"{self.bucket}/{self.key}".rstrip("/")
        )

    @property
    def _prefix(self) -> str:
        return f"{self.key}/" if self.key else ""

    @property
    def _fs(self) -> Any:
        return _file_system(_as_key(self.options), os.getpid(), asynchronous=False)

    def _run(self, work: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        from fsspec.asyn import sync

        return sync(self._fs.loop, work)

    def _call(self, operation: str, method: str, **arguments: Any) -> Any:
        with self._explained(operation):
            return self._fs.call_s3(method, Bucket=self.bucket, Key=self.key, **arguments)

    def _put(self, operation: str, data: bytes, **conditions: str) -> str:
        answer = self._call(operation, "put_object", Body=data, **conditions)
        return str(answer["ETag"])

    async def _get(self, **arguments: str) -> tuple[bytes, str]:
        import aiohttp

        for attempt in range(_BODY_ATTEMPTS):
            answer = await self._fs._call_s3(
                "get_object", Bucket=self.bucket, Key=self.key, **arguments
            )
            try:
                async with answer["Body"] as body:
                    return await body.read(), str(answer["ETag"])
            except (aiohttp.ClientError, TimeoutError):
                if attempt + 1 == _BODY_ATTEMPTS:
                    raise
                await asyncio.sleep(0.2 * 2**attempt)
        raise AssertionError("the last attempt returns or raises")

    def _pages(self, *, delimiter: str) -> Iterator[Mapping[str, Any]]:
        token: dict[str, str] = {}
        while True:
            with self._explained("LIST"):
                page = self._fs.call_s3(
                    "list_objects_v2",
                    Bucket=self.bucket,
                    Prefix=self._prefix,
                    Delimiter=delimiter,
                    MaxKeys=_PAGE,
                    **token,
                )
            yield page
            if not page.get("IsTruncated"):
                return
            token = {"ContinuationToken": page["NextContinuationToken"]}

    @contextlib.contextmanager
    def _explained(self, operation: str) -> Iterator[None]:
        """Turn what s3fs raises into an error of this room.

        The cause is left out on purpose: servers repeat access keys in their messages.
        """
        try:
            yield
        except StorageError:
            raise
        except Exception as error:
            explained = self._translate(operation, error)
            if explained is None:
                raise
            raise explained from None

    def _translate(self, operation: str, error: Exception) -> StorageError | None:
        cause = error if hasattr(error, "response") else error.__cause__
        code = _error_code(cause)
        status = _http_status(cause)
        what = f"{operation} {self.uri} failed"
        if code == "NoSuchBucket":
            return Refused(
                f"{what}: there is no bucket {self.bucket!r}; create it or name another."
            )
        if code in _CONFLICT or status == 412:
            return _ConflictError(f"{what}: the condition did not hold.")
        if code in _MISSING or status == 404:
            return NotFound(f"{what}: there is no such object in bucket {self.bucket!r}.")
        if code in _FULL or status == 507:
            return Full(f"{what} ({code}): the bucket {self.bucket!r} takes no more bytes.")
        if code in _FAULT or (status or 0) >= 500:
            return Unreachable(f"{what} ({code}): the server had a fault of its own.")
        if code:
            return Refused(
                f"{what} ({code}): check the credentials and permissions for "
                f"bucket {self.bucket!r}."
            )
        return _translate_without_answer(what, self.bucket, error)


def _error_code(error: BaseException | None) -> str:
    response = getattr(error, "response", None)
    return str(response.get("Error", {}).get("Code", "")) if isinstance(response, dict) else ""


def _http_status(error: BaseException | None) -> int | None:
    response = getattr(error, "response", None)
    if not isinstance(response, dict):
        return None
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    return int(status) if status else None


def _translate_without_answer(what: str, bucket: str, error: Exception) -> StorageError | None:
    import aiohttp
    from botocore import exceptions as boto  # type: ignore[import-untyped]

    credentials = (
        boto.NoCredentialsError,
        boto.PartialCredentialsError,
        boto.CredentialRetrievalError,
        boto.ProfileNotFound,
    )
    if isinstance(error, credentials):
        return Refused(
            f"{what}: no usable credentials for bucket {bucket!r} were found; "
            "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give --storage-options."
        )
    if isinstance(error, boto.ParamValidationError | ValueError):
        return UnknownFormat(f"{what}: {bucket!r} is no valid bucket name or key.")
    if isinstance(error, boto.BotoCoreError | aiohttp.ClientError | OSError | TimeoutError):
        return Unreachable(f"{what}: no answer ({type(error).__name__}) for bucket {bucket!r}.")
    return None


def _parts(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Join pieces to parts of `_PART` bytes; the last one may be smaller."""
    held = bytearray()
    for piece in pieces:
        held += piece
        while len(held) >= _PART:
            yield bytes(held[:_PART])
            del held[:_PART]
    if held:
        yield bytes(held)


def _as_key(options: Mapping[str, Any]) -> str:
    return json.dumps(options, sort_keys=True)


@functools.lru_cache(maxsize=16)
def _file_system(options: str, pid: int, *, asynchronous: bool) -> Any:  # noqa: ARG001
    """Give one client a process (never one inherited by a fork)."""
    import s3fs

    given = json.loads(options)
    config = {"connect_timeout": 10, "max_pool_connections": 32} | given.pop("config_kwargs", {})
    return s3fs.S3FileSystem(
        use_listings_cache=False,
        skip_instance_cache=True,
        asynchronous=asynchronous,
        config_kwargs=config,
        **given,
    )
