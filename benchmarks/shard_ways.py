"""The ways in which a shard can go to a bucket and back, for `benchmarks.storage`.

As bytes: boto3, what `storage` does, obstore, local files. As numbers (with encoding and decoding):
what `storage` does, and zarr itself over s3fs (`FsspecStore`) and over obstore (`ObjectStore`).
"""

from __future__ import annotations

import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import obstore
import zarr
from obstore.store import S3Store
from zarr.storage import FsspecStore, ObjectStore

from storage.array.layout import ROWS_PER_SHARD, ArrayLayout
from storage.array.shards import Block, array_document, decode_shard, encode_shard
from storage.places.bucket import Bucket
from storage.places.folder import Folder
from storage.places.s3_for_zarr import asynchronous_file_system
from tests.seaweedfs import SeaweedFS

ROW_SHAPE = (10, 128, 128)
LAYOUT = ArrayLayout(array="log_mel", dimensions=("window", "band", "frame"), row_shape=ROW_SHAPE)

Content = TypeVar("Content")
Way = tuple[Callable[[int, Content], Any], Callable[[int], Content]]
"""How shard n is written, and how it is read."""


def measure_bytes(
    server: SeaweedFS, bucket: str, folder: Path, *, shards: int
) -> list[dict[str, Any]]:
    """Write and read encoded shards each way in turn: ms, and ratios to boto3."""
    contents = (encode_shard(_noise(number)) for number in range(-1, shards))
    return _taken(_byte_ways(server, bucket, folder), contents, first="boto3")


def measure_arrays(server: SeaweedFS, bucket: str, *, shards: int) -> list[dict[str, Any]]:
    """Write and read shards of numbers each way in turn; ratios to `storage`."""
    contents = (_noise(number) for number in range(-1, shards))
    return _taken(_array_ways(server, bucket, rows=(shards + 1) * ROWS_PER_SHARD), contents)


def _noise(number: int) -> Block:
    noise = np.random.default_rng(number + 1)
    return noise.normal(-40, 20, (ROWS_PER_SHARD, *ROW_SHAPE)).astype(np.float16)


def _taken(ways: Mapping[str, Way[Any]], contents: Any, *, first: str = "") -> list[dict[str, Any]]:
    taken: dict[tuple[str, str], list[float]] = defaultdict(list)
    for number, content in enumerate(contents):
        for name, (write, read) in ways.items():
            began = time.perf_counter()
            write(number, content)
            written = time.perf_counter()
            found = read(number)
            ended = time.perf_counter()
            assert np.array_equal(found, content)
            if number:  # the first one opens connections
                taken[name, "write"].append(written - began)
                taken[name, "read"].append(ended - written)
    medians = {key: statistics.median(values) for key, values in taken.items()}
    first = first or next(iter(ways))
    return [
        {
            "by": name,
            **{f"{way}_ms": round(1e3 * medians[name, way], 1) for way in ("write", "read")},
            **{
                f"{way}_ratio": round(medians[first, way] / medians[name, way], 2)
                for way in ("write", "read")
            },
        }
        for name in ways
    ]


def _byte_ways(server: SeaweedFS, bucket: str, folder: Path) -> dict[str, Way[bytes]]:
    client = server.client()
    s3, through_obstore = Bucket(bucket, "ours", server.options()), _s3_store(server, bucket)
    local, plain = Folder(folder / "ours"), folder / "plain"
    plain.mkdir(parents=True)
    return {
        "boto3": (
            lambda number, data: client.put_object(Bucket=bucket, Key=f"raw/{number}", Body=data),
            lambda number: client.get_object(Bucket=bucket, Key=f"raw/{number}")["Body"].read(),
        ),
        "storage, S3": (
            lambda number, data: (s3 / f"{number}").write_bytes(data),
            lambda number: (s3 / f"{number}").read_bytes(),
        ),
        "obstore": (
            lambda number, data: obstore.put(
                through_obstore, f"ob/{number}", data, use_multipart=False
            ),
            lambda number: bytes(obstore.get(through_obstore, f"ob/{number}").bytes()),
        ),
        "storage, folder": (
            lambda number, data: (local / f"{number}").write_bytes(data),
            lambda number: (local / f"{number}").read_bytes(),
        ),
        "plain file": (
            lambda number, data: (plain / f"{number}").write_bytes(data),
            lambda number: (plain / f"{number}").read_bytes(),
        ),
    }


def _array_ways(server: SeaweedFS, bucket: str, *, rows: int) -> dict[str, Way[Block]]:
    options = server.options()
    places = {name: Bucket(bucket, f"arrays/{name}", options) for name in ("ours", "s3fs", "ob")}
    for place in places.values():
        (place / LAYOUT.array / "zarr.json").write_bytes(array_document(rows, LAYOUT))
    ours = places["ours"] / LAYOUT.array
    stores = {
        "zarr, s3fs": FsspecStore(
            asynchronous_file_system(options), path=f"{bucket}/arrays/s3fs/log_mel"
        ),
        "zarr, obstore": ObjectStore(_s3_store(server, bucket, prefix="arrays/ob/log_mel")),
    }
    return {
        "storage": (
            lambda number, block: (ours / f"c/{number}/0/0/0").write_bytes(encode_shard(block)),
            lambda number: decode_shard((ours / f"c/{number}/0/0/0").read_bytes(), ROW_SHAPE),
        ),
        **{name: _by_zarr(zarr.open_array(store, mode="r+")) for name, store in stores.items()},
    }


def _by_zarr(array: Any) -> Way[Block]:
    def rows(number: int) -> slice:
        return slice(number * ROWS_PER_SHARD, (number + 1) * ROWS_PER_SHARD)

    def write(number: int, block: Block) -> None:
        array[rows(number)] = block

    return write, lambda number: np.asarray(array[rows(number)])


def _s3_store(server: SeaweedFS, bucket: str, *, prefix: str | None = None) -> S3Store:
    who = server.identities[0]
    return S3Store(
        bucket,
        prefix=prefix,
        endpoint=server.endpoint_url,
        access_key_id=who.key,
        secret_access_key=who.secret,
        client_options={"allow_http": True},
    )
