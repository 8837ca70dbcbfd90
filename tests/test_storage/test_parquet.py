"""Parquet tables."""

from __future__ import annotations

import subprocess
import sys

import pandas as pd
import pytest

from storage.errors import Damaged
from storage.tables import from_parquet, to_parquet

FRAME = pd.DataFrame(
    {
        "id": range(500),
        "name": [None, "a"] * 250,
        "share": 0.5,
        "ok": True,
        "of": [[1], [2, 3]] * 250,
    }
)

THREADS = """
import os, sys
from storage.tables import from_parquet
import pyarrow.parquet
before = len(os.listdir("/proc/self/task"))
from_parquet(sys.stdin.buffer.read(), name="it")
print(len(os.listdir("/proc/self/task")) - before)
"""


def test_a_table_comes_back_as_it_was() -> None:
    pd.testing.assert_frame_equal(from_parquet(to_parquet(FRAME), name="it"), FRAME)


def test_what_is_no_table_is_named() -> None:
    with pytest.raises(Damaged, match=r"there/rows\.parquet is not a readable parquet table"):
        from_parquet(to_parquet(FRAME)[:-20], name="there/rows.parquet")


@pytest.mark.skipif(sys.platform != "linux", reason="counts the threads of /proc")
def test_reading_leaves_no_thread_behind() -> None:
    done = subprocess.run(
        [sys.executable, "-c", THREADS], input=to_parquet(FRAME), stdout=subprocess.PIPE, check=True
    )
    assert done.stdout.split() == [b"0"]
