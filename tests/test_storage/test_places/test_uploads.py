"""Uploads in parts, to a server that answers as some do and the tests' servers do not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from storage.errors import NotFound
from storage.places import uploads
from storage.places.s3_requests import Answer, Requests


@dataclass
class Forgetful:
    """Completes an upload and says that there is none, as after an answer that was lost."""

    written_by_another: bool = False
    asked: list[str] = field(default_factory=list)
    metadata: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, operation: str, method: str, **arguments: Any) -> Answer:
        assert operation
        self.asked.append(method)
        if method == "create_multipart_upload":
            self.metadata = {} if self.written_by_another else arguments["Metadata"]
            return Answer(fields={"UploadId": "1"})
        if method in ("complete_multipart_upload", "abort_multipart_upload"):
            raise NotFound("there is no such upload.")
        return Answer(fields={"ETag": '"whole"', "Metadata": self.metadata})


def test_an_upload_that_was_completed_after_all_is_known_by_its_token() -> None:
    send = Forgetful()
    assert uploads.upload(send, iter([b"one", b"two"])) == '"whole"'
    assert send.asked[-2:] == ["complete_multipart_upload", "head_object"]


def test_what_another_one_wrote_is_not_taken_for_it() -> None:
    send = Forgetful(written_by_another=True)
    with pytest.raises(NotFound, match="no such upload"):
        uploads.upload(send, iter([b"one", b"two"]))
    assert send.asked[-1] == "abort_multipart_upload"


@pytest.mark.parametrize(
    ("sizes", "parts"),
    [([], []), ([5], [5]), ([40], [16, 16, 8]), ([10, 10, 12], [16, 16]), ([1] * 17, [16, 1])],
)
def test_pieces_become_parts(
    monkeypatch: pytest.MonkeyPatch, sizes: list[int], parts: list[int]
) -> None:
    monkeypatch.setattr(uploads, "PART", 16)
    assert [len(part) for part in uploads.split(bytes(size) for size in sizes)] == parts


@pytest.mark.parametrize("marks", [True, False], ids=["marks", "no marks"])
def test_the_list_of_unfinished_ones_has_an_end(
    monkeypatch: pytest.MonkeyPatch, marks: bool
) -> None:
    """Pages follow each other by their marks; a server that gives none has told all it tells."""
    pages: Iterator[dict[str, Any]] = iter(
        [
            {"Uploads": [{"Key": "a", "UploadId": "1"}], "IsTruncated": True}
            | ({"NextKeyMarker": "a"} if marks else {}),
            {"Uploads": [{"Key": "b", "UploadId": "2"}], "IsTruncated": False},
        ]
    )
    monkeypatch.setattr(Requests, "send", lambda *_, **__: Answer(fields=next(pages)))
    found = list(uploads.unfinished(Requests("box", {}), uri="s3://box", prefix=""))
    assert found == ([("a", "1"), ("b", "2")] if marks else [("a", "1")])
