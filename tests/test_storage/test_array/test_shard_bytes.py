"""A shard's bytes: those that zarr writes, the same every time, and readable row by row."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from zarr.storage import MemoryStore

from storage.array.layout import ROWS_PER_SHARD, ArrayLayout
from storage.array.shards import (
    Block,
    array_document,
    array_rows,
    decode_row,
    decode_shard,
    encode_shard,
    group_document,
    row_spans,
    spans_of_lengths,
)
from storage.errors import Damaged, MisalignedWrite

SHAPE = (3, 4, 5)


def layout_of(row_shape: tuple[int, ...]) -> ArrayLayout:
    return ArrayLayout(array="log_mel", dimensions=("window", "band", "frame"), row_shape=row_shape)


LAYOUT = layout_of(SHAPE)


def block(filled: set[int], *, seed: int = 0) -> Block:
    rows = np.zeros((ROWS_PER_SHARD, *SHAPE), np.float16)
    noise = np.random.default_rng(seed).normal(-40, 20, (ROWS_PER_SHARD, *SHAPE))
    for row in filled:
        rows[row] = noise[row]
    return rows


def written_by_zarr(rows: Block) -> bytes:
    """Let zarr itself write one shard into an array with our metadata."""
    objects: dict[str, Any] = {}
    store = MemoryStore(objects)
    document = array_document(ROWS_PER_SHARD, layout_of(rows.shape[1:]))
    objects["zarr.json"] = zarr.core.buffer.default_buffer_prototype().buffer.from_bytes(document)
    zarr.open_array(store, mode="r+")[...] = rows
    found = objects.get("c/0/0/0/0")
    return b"" if found is None else bytes(found.to_bytes())


def read_by_zarr(data: bytes, rows: int = ROWS_PER_SHARD, shard: int = 0) -> Block:
    buffer = zarr.core.buffer.default_buffer_prototype().buffer
    objects: dict[str, Any] = {"zarr.json": buffer.from_bytes(array_document(rows, LAYOUT))}
    if data:
        objects[f"c/{shard}/0/0/0"] = buffer.from_bytes(data)
    return np.asarray(zarr.open_array(MemoryStore(objects), mode="r")[...])


class TestEncoding:
    @given(filled=st.sets(st.integers(0, ROWS_PER_SHARD - 1)), seed=st.integers(0, 9))
    @settings(max_examples=25, deadline=None)
    def test_the_bytes_are_those_that_zarr_writes(self, filled: set[int], seed: int) -> None:
        rows = block(filled, seed=seed)
        data = encode_shard(rows)
        assert data == written_by_zarr(rows)
        assert data == encode_shard(rows.copy())
        np.testing.assert_array_equal(decode_shard(data, SHAPE), rows)
        np.testing.assert_array_equal(read_by_zarr(data), rows)

    def test_extreme_values_come_back_bit_by_bit(self) -> None:
        rows = block(set())
        values = [0.0, -0.0, 6e-8, 65504.0, -65504.0]
        rows[1, 0, 0] = values
        data = encode_shard(rows)
        assert data == written_by_zarr(rows)
        back = decode_shard(data, SHAPE)
        assert back.tobytes() == rows.tobytes()

    def test_a_shard_lies_at_its_place_in_a_longer_array(self) -> None:
        rows = block({0, 63})
        whole = read_by_zarr(encode_shard(rows), rows=3 * ROWS_PER_SHARD, shard=2)
        np.testing.assert_array_equal(whole[128:], rows)
        assert not whole[:128].any()

    def test_an_empty_shard_takes_no_bytes(self) -> None:
        assert encode_shard(block(set())) == b""
        assert not decode_shard(b"", SHAPE).any()
        assert not read_by_zarr(b"").any()

    @pytest.mark.parametrize(
        "rows",
        [
            np.zeros((63, *SHAPE), np.float16),
            np.zeros((ROWS_PER_SHARD, *SHAPE), np.float32),
            np.zeros(ROWS_PER_SHARD, np.float16),
        ],
        ids=["63 rows", "float32", "one dimension"],
    )
    def test_anything_but_a_whole_shard_is_refused(self, rows: Any) -> None:
        with pytest.raises(MisalignedWrite, match="whole"):
            encode_shard(rows)

    def test_encoding_starts_no_thread_and_imports_no_zarr(self) -> None:
        code = (
            "import sys, threading, numpy as np\n"
            "from storage.array.shards import decode_shard, encode_shard\n"
            "rows = np.ones((64, 2, 3, 4), np.float16)\n"
            "assert (decode_shard(encode_shard(rows), (2, 3, 4)) == rows).all()\n"
            "print(threading.active_count(), 'zarr' in sys.modules)\n"
        )
        shown = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
        assert shown.stdout.split() == [b"1", b"False"]


class TestDamage:
    @given(place=st.integers(0), bit=st.integers(0, 7))
    @settings(max_examples=60, deadline=None)
    def test_any_flipped_bit_is_noticed(self, place: int, bit: int) -> None:
        data = bytearray(encode_shard(block({1, 5, 60})))
        data[place % len(data)] ^= 1 << bit
        with pytest.raises(Damaged):
            decode_shard(bytes(data), SHAPE)

    @given(length=st.integers(1))
    @settings(max_examples=40, deadline=None)
    def test_a_truncated_shard_is_noticed(self, length: int) -> None:
        data = encode_shard(block({1, 5, 60}))
        with pytest.raises(Damaged):
            decode_shard(data[: 1 + length % (len(data) - 1)], SHAPE)

    def test_a_shard_cut_off_behind_a_whole_chunk_is_noticed(self) -> None:
        data = encode_shard(block({1, 5, 60}))
        for span in row_spans(data):
            if span is not None:
                with pytest.raises(Damaged):
                    decode_shard(data[: span[1]], SHAPE)

    def test_whole_rows_of_a_damaged_shard_are_read(self) -> None:
        rows = block({1, 5, 60})
        data = bytearray(encode_shard(rows))
        spans = row_spans(bytes(data))
        hit = spans[5]
        assert hit is not None
        data[hit[0] + 3] ^= 1
        for row in range(ROWS_PER_SHARD):
            found = decode_row(bytes(data), spans[row], SHAPE)
            if row == 5:
                assert found is None
            else:
                np.testing.assert_array_equal(found, rows[row])

    def test_rows_before_the_cut_are_found_by_their_lengths(self) -> None:
        rows = block({1, 5, 60})
        data = encode_shard(rows)
        spans = row_spans(data)
        lengths = {
            row: span[1] - span[0] if span else 0
            for row, span in enumerate(spans)
            if row in (1, 4, 5, 60)
        }
        cut = data[: spans[60][0] + 5] if spans[60] else b""
        by_length = spans_of_lengths(lengths)
        assert [by_length[row] for row in (1, 4, 5, 60)] == [spans[1], None, spans[5], spans[60]]
        np.testing.assert_array_equal(decode_row(cut, by_length[5], SHAPE), rows[5])
        assert decode_row(cut, by_length[60], SHAPE) is None

    @pytest.mark.parametrize("span", [(0, 0), (-5, 3), (10, 2), (0, 4), (0, 10**18)])
    def test_a_senseless_span_gives_nothing(self, span: tuple[int, int]) -> None:
        assert decode_row(encode_shard(block({0})), span, SHAPE) is None

    def test_short_bytes_have_no_rows(self) -> None:
        assert row_spans(b"short") == [None] * ROWS_PER_SHARD


class TestMetadata:
    def test_plain_zarr_opens_it_with_names(self) -> None:
        buffer = zarr.core.buffer.default_buffer_prototype().buffer
        document = array_document(128, LAYOUT)
        group = group_document({"preset": "default", "spec": {"n_fft": 1024}}, "log_mel", document)
        objects: dict[str, Any] = {
            "zarr.json": buffer.from_bytes(group),
            "log_mel/zarr.json": buffer.from_bytes(document),
        }
        opened = zarr.open_group(MemoryStore(objects), mode="r")
        assert opened.attrs.asdict() == {"preset": "default", "spec": {"n_fft": 1024}}
        array = opened["log_mel"]
        assert isinstance(array, zarr.Array)
        assert array.shape == (128, *SHAPE)
        assert array.shards == (ROWS_PER_SHARD, *SHAPE)
        assert array.chunks == (1, *SHAPE)
        assert array.dtype == np.float16
        assert array.fill_value == 0
        assert array.metadata.dimension_names == ("row", "window", "band", "frame")  # type: ignore[union-attr]

    def test_it_is_written_the_same_every_time(self) -> None:
        assert array_document(64, LAYOUT) == array_document(64, LAYOUT)
        assert array_rows(array_document(192, LAYOUT), LAYOUT, where="there") == 192

    def test_an_array_grows_by_whole_shards(self) -> None:
        with pytest.raises(MisalignedWrite, match="65 rows"):
            array_document(65, LAYOUT)

    @pytest.mark.parametrize("document", [b"", b"{}", b"[]", b'{"shape": [1, 2]}', b'{"shape": 3}'])
    def test_other_metadata_are_refused(self, document: bytes) -> None:
        with pytest.raises(Damaged):
            array_rows(document, LAYOUT, where="there")
