"""Objects that are uploaded in parts: whole in the end, or not there.

What a killed upload leaves is in no listing of objects, but it is paid for until it is aborted.
"""

import contextlib
import uuid
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

from storage.errors import NotFound, StorageError
from storage.places.s3_requests import Answer, Requests

PART = 16 * 2**20
"""Bytes of a part; S3 takes at least 5 MiB, and up to 10,000 of them."""

WRITER = "genre-writer"
"""Name in an object's metadata of the token that tells who wrote it."""

_PAGE = 1000  # the most that a LIST gives


class Send(Protocol):
    """Sends one request about one object; `s3_requests.Requests.send` without its key."""

    def __call__(self, operation: str, method: str, **arguments: Any) -> Answer:
        """Send it."""


def split(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Join pieces to parts of `PART` bytes; the last one may be smaller."""
    held = bytearray()
    for piece in pieces:
        held += piece
        while len(held) >= PART:
            yield bytes(held[:PART])
            del held[:PART]
    if held:
        yield bytes(held)


def upload(send: Send, parts: Iterable[bytes]) -> str:
    """Upload parts, and return the object's ETag; what fails is aborted.

    Parameters
    ----------
    send : Send
        For the object.
    parts : iterable of bytes
        Of `split`. What iterating raises is passed on.
    """
    token = uuid.uuid4().hex
    begun = send("POST", "create_multipart_upload", Metadata={WRITER: token})
    number = str(begun.fields["UploadId"])
    try:
        done = [
            {"PartNumber": place, "ETag": _put(send, number, place, part)}
            for place, part in enumerate(parts, start=1)
        ]
        return _complete(send, number, done, token)
    except BaseException:
        with contextlib.suppress(StorageError):
            abort(send, number)
        raise


def abort(send: Send, number: str) -> None:
    """Throw away an upload and its parts; nothing happens if there is none of that number."""
    with contextlib.suppress(NotFound):
        send("DELETE", "abort_multipart_upload", UploadId=number)


def unfinished(requests: Requests, *, uri: str, prefix: str) -> Iterator[tuple[str, str]]:
    """LIST the uploads below a prefix that are neither complete nor aborted.

    Parameters
    ----------
    requests : Requests
    uri, prefix : str
        What is listed, as an address for sentences and as the beginning of keys.

    Yields
    ------
    tuple[str, str]
        Key and number.
    """
    markers: dict[str, str] = {}
    while True:
        page = requests.send(
            "LIST (uploads)",
            uri,
            "list_multipart_uploads",
            Prefix=prefix,
            MaxUploads=_PAGE,
            **markers,
        ).fields
        for item in page.get("Uploads", []):
            yield item["Key"], item["UploadId"]
        following = _markers(page)
        if not page.get("IsTruncated") or following in ({}, markers):
            return
        markers = following


def _markers(page: Mapping[str, Any]) -> dict[str, str]:
    found = {name: page.get(f"Next{name}") for name in ("KeyMarker", "UploadIdMarker")}
    return {name: value for name, value in found.items() if value}


def _put(send: Send, number: str, place: int, part: bytes) -> str:
    what = {"UploadId": number, "PartNumber": place}
    return str(send("PUT", "upload_part", Body=part, **what).fields["ETag"])


def _complete(send: Send, number: str, done: list[dict[str, Any]], token: str) -> str:
    try:
        answer = send(
            "POST", "complete_multipart_upload", UploadId=number, MultipartUpload={"Parts": done}
        )
    except NotFound:
        # an answer that was lost is asked for again, when the upload is no upload any more
        answer = send("HEAD", "head_object")
        if answer.fields.get("Metadata", {}).get(WRITER) != token:
            raise
    return str(answer.fields["ETag"])
