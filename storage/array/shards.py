"""The array's metadata and the bytes of one shard, in plain Zarr v3.

    log_mel[row, window, band, frame] or embedding[row, window, value]   float16, fill value 0
    chunk = 1 row,  shard = 64 rows                                      zstd, crc32c

        shard object:  | row 0 | row 1 |  (an empty row takes no bytes)  | row 63 | index |

The metadata are written by zarr. The shard's bytes are laid out here, byte for byte as zarr's
sharding codec does it (a test compares them): that takes half the time, starts no thread and no
event loop in the process that decodes audio, and lets a damaged shard be read row by row. Shards
are written whole: partial writes into a shared one lose data in silence (zarr-python issue 3682),
so there is no function here that does one.
"""

import functools
import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from storage.array.layout import ROWS_PER_SHARD, ArrayLayout, Attributes
from storage.errors import Damaged, MisalignedWrite
from storage.proof.documents import parse_document

Block = np.ndarray[Any, np.dtype[np.float16]]
Span = tuple[int, int]

# on real clips 3 and 5 take 1.1 to 4 times the time of 1 and save 0.1 % more
COMPRESSION_LEVEL = 1
MOST_ROWS = 10**9
_NO_CHUNK = 2**64 - 1
_INDEX_BYTES = ROWS_PER_SHARD * 16 + 4  # offset and length a row, and the crc32c of them all


def group_document(attributes: Attributes, name: str, array: bytes) -> bytes:
    """Write the metadata of the group that holds the array (its `zarr.json`).

    The array's metadata are repeated in it ("consolidated"), so that opening the group needs
    neither a listing of the folder nor a warning.

    Parameters
    ----------
    attributes : Mapping
        JSON values.
    name : str
        Of the array.
    array : bytes
        What `array_document` gave.
    """
    document = {
        "attributes": dict(attributes),
        "zarr_format": 3,
        "consolidated_metadata": {
            "kind": "inline",
            "must_understand": False,
            "metadata": {name: json.loads(array)},
        },
        "node_type": "group",
    }
    return json.dumps(document, indent=2).encode() + b"\n"


def array_document(rows: int, layout: ArrayLayout) -> bytes:
    """Write the metadata of the array (its `zarr.json`).

    Parameters
    ----------
    rows : int
        A multiple of 64.
    layout : ArrayLayout

    Raises
    ------
    MisalignedWrite
        If `rows` is not a whole number of shards.
    """
    if rows % ROWS_PER_SHARD:
        raise MisalignedWrite(
            f"An array of {rows} rows is not a whole number of shards of {ROWS_PER_SHARD} rows."
        )
    return _document(rows, layout)


@dataclass(frozen=True)
class _Shape:
    shape: tuple[int, ...]


def array_rows(document: bytes, layout: ArrayLayout, *, where: str) -> int:
    """Read how many rows an array has from its metadata.

    Parameters
    ----------
    document : bytes
    layout : ArrayLayout
    where : str
        Its address, for the sentence.

    Raises
    ------
    Damaged
        If it is not the metadata of an array of this layout.
    """
    shape = parse_document(document, _Shape, where=where).shape
    if not shape or not 0 <= shape[0] <= MOST_ROWS:
        raise Damaged(f"{where} tells of {shape[:1]} rows.")
    if shape[1:] != layout.row_shape:
        raise Damaged(f"{where} has rows of {shape[1:]}, not {layout.row_shape}.")
    return shape[0]


def encode_shard(rows: Block) -> bytes:
    """Encode the rows of one whole shard, the same bytes every time.

    Parameters
    ----------
    rows : np.ndarray [shape=(64, *row_shape), float16]

    Returns
    -------
    bytes
        The shard's object; b"" when every row is zero: then none is written.

    Raises
    ------
    MisalignedWrite
        If `rows` is not one whole shard of float16.
    """
    if rows.ndim < 2 or len(rows) != ROWS_PER_SHARD or rows.dtype != np.float16:
        raise MisalignedWrite(
            f"A shard is {ROWS_PER_SHARD} rows of float16, "
            f"not {list(rows.shape)} {rows.dtype}; write it whole."
        )
    chunks = [_encode_row(row) for row in rows]
    if not any(chunks):
        return b""
    return b"".join([*chunks, _encode_index([len(chunk) for chunk in chunks])])


def decode_shard(data: bytes, row_shape: Sequence[int]) -> Block:
    """Decode a whole shard.

    Parameters
    ----------
    data : bytes
        The shard's object; b"" for a shard without one.
    row_shape : Sequence[int]
        Lengths of the dimensions behind `row`.

    Returns
    -------
    np.ndarray [shape=(64, *row_shape), float16]

    Raises
    ------
    Damaged
        If a checksum does not hold or the bytes are no shard.
    """
    rows = np.zeros((ROWS_PER_SHARD, *row_shape), np.float16)
    if not data:
        return rows
    # what is left of a first chunk cut off at its end would hold a checksum too: its own
    if len(data) < _INDEX_BYTES or not _holds(data[-_INDEX_BYTES:]):
        raise Damaged(f"The checksum of the shard's index does not hold ({len(data)} bytes).")
    for place, span in enumerate(row_spans(data)):
        if span is not None and not _decode_into(rows[place], data, span):
            raise Damaged(f"The checksum of the shard's row {place} (0 to 63) does not hold.")
    return rows


def row_spans(data: bytes) -> list[Span | None]:
    """Read where each row's chunk lies in a shard, None for an empty row.

    Nothing is checked here: a damaged index gives spans whose checksums do not hold.
    """
    if len(data) < _INDEX_BYTES:
        return [None] * ROWS_PER_SHARD
    numbers = struct.unpack(f"<{2 * ROWS_PER_SHARD}Q", data[-_INDEX_BYTES:-4])
    pairs = zip(numbers[::2], numbers[1::2], strict=True)
    return [None if start == _NO_CHUNK else (start, start + length) for start, length in pairs]


def chunk_checksum(data: bytes, span: Span | None) -> str:
    """Read the checksum that ends a row's chunk, as 8 hex digits; "" for an empty row."""
    return data[max(span[0], span[1] - 4) : span[1]].hex() if span else ""


def spans_of_lengths(lengths: Mapping[int, int]) -> dict[int, Span | None]:
    """Work out where chunks lie from their lengths, for a shard whose index is lost.

    Parameters
    ----------
    lengths : Mapping[int, int]
        Place in the shard (0…63) -> bytes of its chunk; chunks follow each other in that order.
    """
    spans: dict[int, Span | None] = {}
    start = 0
    for place in sorted(lengths):
        spans[place] = (start, start + lengths[place]) if lengths[place] else None
        start += lengths[place]
    return spans


def decode_row(data: bytes, span: Span | None, row_shape: Sequence[int]) -> Block | None:
    """Decode one row of a shard that may be damaged elsewhere.

    Returns
    -------
    np.ndarray [shape=row_shape, float16] | None
        None if the bytes are not there or their checksum does not hold.
    """
    row = np.zeros(tuple(row_shape), np.float16)
    return row if span is None or _decode_into(row, data, span) else None


def _encode_row(row: Block) -> bytes:
    if not row.view(np.uint16).any():
        return b""
    compressed = _zstd().encode(np.ascontiguousarray(row, dtype="<f2"))
    return cast(bytes, compressed) + _crc32c(compressed)


def _encode_index(lengths: Sequence[int]) -> bytes:
    numbers = []
    start = 0
    for length in lengths:
        numbers += [start, length] if length else [_NO_CHUNK, _NO_CHUNK]
        start += length
    index = struct.pack(f"<{2 * ROWS_PER_SHARD}Q", *numbers)
    return index + _crc32c(index)


def _decode_into(row: Block, data: bytes, span: Span) -> bool:
    """Fill `row`, or answer False if the chunk's bytes are not all there or not as written."""
    if not 0 <= span[0] < span[1] <= len(data):
        return False
    chunk = memoryview(data)[slice(*span)]
    if not _holds(chunk):
        return False
    try:
        _zstd().decode(chunk[:-4], out=row)
    except (RuntimeError, ValueError):  # as numcodecs reports a frame of another length
        return False
    return True


def _holds(checked: "bytes | memoryview") -> bool:
    return len(checked) > 4 and _crc32c(checked[:-4]) == bytes(checked[-4:])


def _crc32c(data: "bytes | memoryview") -> bytes:
    import google_crc32c

    return cast(int, google_crc32c.value(bytes(data))).to_bytes(4, "little")


@functools.cache
def _zstd() -> Any:
    from numcodecs.zstd import Zstd  # type: ignore[import-untyped]

    return Zstd(level=COMPRESSION_LEVEL, checksum=False)


def _document(rows: int, layout: ArrayLayout) -> bytes:
    import zarr
    from zarr.codecs import BytesCodec, Crc32cCodec, ZstdCodec
    from zarr.storage import MemoryStore

    objects: dict[str, Any] = {}
    zarr.create_array(
        MemoryStore(objects),
        shape=(rows, *layout.row_shape),
        dtype="float16",
        chunks=(1, *layout.row_shape),
        shards=layout.shard_shape,
        serializer=BytesCodec(),
        compressors=[ZstdCodec(level=COMPRESSION_LEVEL, checksum=False), Crc32cCodec()],
        fill_value=0,
        dimension_names=layout.names,
        zarr_format=3,
    )
    return cast(bytes, objects["zarr.json"].to_bytes())
