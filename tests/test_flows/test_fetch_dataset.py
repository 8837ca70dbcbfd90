"""`genre fetch` in a process of its own, from a server to a folder."""

from __future__ import annotations

import pytest
from archive_server import serving
from command import Genre
from fma_zips import files_of, sha1_of, zipped

pytestmark = pytest.mark.services  # with Prefect's temporary server

KEYS = {"dataset", "to", "files", "bytes", "verified", "seconds"}


def test_fetch(genre: Genre) -> None:
    clips, tables = files_of("fma_small", count=12), files_of("fma_metadata", count=2)
    archives = {"fma_small.zip": zipped(clips), "fma_metadata.zip": zipped(tables)}
    hashes = [f"--sha1={name[:-4]}={sha1_of(data)}" for name, data in archives.items()]
    with serving(files=dict(archives)) as server:
        asked = ["fetch", "fma_small", "--to", "data", "--mirror", server.url, "--workers", "1"]
        ended = genre(*asked, *hashes, "--json")
    assert ended.code == 0, ended.err
    told = ended.json
    assert set(told) >= KEYS
    assert told["dataset"] == "fma_small"
    assert told["to"] == str(genre.folder / "data")
    assert told["files"] == told["written"] == len(clips) + len(tables)
    assert told["bytes"] == sum(map(len, [*clips.values(), *tables.values()]))
    assert told["verified"] == ["sha1", "crc32", "checksums"]
    for name, content in {**clips, **tables, **archives}.items():
        assert (genre.folder / "data" / name).read_bytes() == content
