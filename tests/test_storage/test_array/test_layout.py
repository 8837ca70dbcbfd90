"""Names in the folder of an array."""

from __future__ import annotations

import pytest
from feature_runs import LAYOUT

from storage.array.layout import (
    ArrayLayout,
    manifest_name,
    plan_name,
    plan_number,
    shard_of_manifest,
)


@pytest.mark.parametrize("shard", [0, 7, 999_999, 1_000_000])
def test_names_and_numbers_are_each_others_inverse(shard: int) -> None:
    below = LAYOUT.shard_name(shard).removeprefix("log_mel/c/")
    assert LAYOUT.shard_of_object(below) == shard
    assert shard_of_manifest(manifest_name(shard).removeprefix("manifests/")) == shard
    assert plan_number(plan_name(shard).removeprefix("plans/")) == shard


@pytest.mark.parametrize("name", ["", "x.json", "1.json", "000001.json.partial", "000001.parquet"])
def test_other_names_are_no_manifests(name: str) -> None:
    assert shard_of_manifest(name) is None


@pytest.mark.parametrize("name", ["", "3", "3/0/0", "3/0/0/0/0", "x/0/0/0", "3/0/1/0", "-3/0/0/0"])
def test_other_names_are_no_shards(name: str) -> None:
    assert LAYOUT.shard_of_object(name) is None


def test_an_array_of_another_kind_has_names_of_its_own() -> None:
    layout = ArrayLayout(array="embedding", dimensions=("window", "value"), row_shape=(10, 200))
    assert layout.shard_name(3) == "embedding/c/3/0/0"
    assert layout.names == ("row", "window", "value")
    assert layout.shard_of_object("3/0/0") == 3
