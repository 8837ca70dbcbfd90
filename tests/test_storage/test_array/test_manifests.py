"""Manifests come back as they were written, and one that was changed is found."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.array.manifests import RowRecord, ShardManifest
from storage.errors import Damaged

RECORDS = st.builds(
    RowRecord,
    row=st.integers(64, 127),
    track_id=st.integers(0, 10**6),
    path=st.text(),
    size=st.none() | st.integers(0, 2**40),
    etag=st.none() | st.text(min_size=1),
    sha256=st.text("0123456789abcdef", max_size=64),
    status=st.sampled_from(["ok", "missing"]),
    windows=st.integers(0, 10),
    detail=st.text(),
    duration_s=st.floats(0, 1e6),
    stored=st.integers(0, 10**7),
    sample_rate=st.none() | st.integers(1_000, 10**6),
    channels=st.none() | st.integers(1, 1_024),
    level_db=st.none() | st.floats(-300, 120),
    file_s=st.none() | st.floats(0, 1e6),
)
MANIFESTS = st.builds(
    ShardManifest,
    shard=st.just(1),
    rows=st.lists(RECORDS, max_size=5).map(tuple),
    size=st.integers(0, 10**8),
    sha256=st.text("0123456789abcdef", min_size=64, max_size=64),
    decoder=st.text(),
    versions=st.dictionaries(st.text(), st.text(), max_size=3),
    seconds=st.floats(0, 1e6),
)


def manifest() -> ShardManifest:
    record = RowRecord(
        row=64,
        track_id=2,
        path="fma_small/000/000002.mp3",
        size=1000,
        etag="17",
        sha256="a" * 64,
        status="ok",
        windows=10,
    )
    rows = (record, RowRecord.absent(65))
    return ShardManifest(shard=1, rows=rows, size=5, sha256="b" * 64, seconds=1.5)


@given(MANIFESTS)
@settings(max_examples=50, deadline=None)
def test_what_is_written_is_read(given_manifest: ShardManifest) -> None:
    assert ShardManifest.from_json(given_manifest.to_json()) == given_manifest


def test_seconds_are_not_sealed() -> None:
    one, other = manifest(), replace(manifest(), seconds=9.0)
    assert one.seal == other.seal
    assert replace(one, size=6).seal != one.seal


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"windows": 10', '"windows": 9'),
        ('"status": "ok"', '"status": "quiet"'),
        ('"track_id": 2', '"track_id": 3'),
        ('"size": 5', '"size": 6'),
        ("b" * 64, "c" * 64),
        ('"format": 1', '"format": 2'),
        ('"shard": 1', '"shard": 2'),
    ],
)
def test_a_lie_is_found(old: str, new: str) -> None:
    text = manifest().to_json().decode()
    assert text.count(old) == 1
    with pytest.raises(Damaged):
        ShardManifest.from_json(text.replace(old, new).encode())


@pytest.mark.parametrize(
    "text", [b"", b"{", b"[]", b"null", b"\xff", b'{"seal": "x"}', b'{"rows": 3, "seal": 1}']
)
def test_anything_else_is_no_manifest(text: bytes) -> None:
    with pytest.raises(Damaged):
        ShardManifest.from_json(text)


def test_it_is_json_with_a_line_a_row() -> None:
    text = manifest().to_json()
    content = json.loads(text)
    assert content["rows"][1]["status"] == "absent"
    assert content["rows"][1]["track_id"] == -1
    assert sum(b'"track_id"' in line for line in text.splitlines()) == 2


def test_what_is_not_known_of_the_sound_is_not_written_so_that_seals_of_before_hold() -> None:
    before = manifest()
    assert b"level_db" not in before.to_json()
    assert before.seal == "e45c714962ae9e60f5844daea4d7dc0605ec2bca6157d3f7b003e6f79528b09d"
    heard = replace(before.rows[0], sample_rate=44_100, channels=2, level_db=-14.2)
    now = replace(before, rows=(heard, *before.rows[1:]))
    assert now.seal != before.seal
    assert json.loads(now.to_json())["rows"][0]["level_db"] == -14.2
