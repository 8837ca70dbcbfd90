"""Names in a store, and the file that says which layout it has."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage.array.layout import (
    claim_location,
    create_store,
    features_folder,
    manifest_name,
    open_store,
    plan_name,
    plan_number,
    shard_name,
    shard_of_manifest,
    shard_of_object,
)
from storage.errors import NotFound, StorageError, UnknownFormat
from storage.places.location import Location


@pytest.mark.parametrize("shard", [0, 7, 999_999, 1_000_000])
def test_names_and_numbers_are_each_others_inverse(shard: int) -> None:
    assert shard_of_object(shard_name(shard)) == shard
    assert shard_of_manifest(manifest_name(shard).removeprefix("manifests/")) == shard
    assert plan_number(plan_name(shard).removeprefix("plans/")) == shard


@pytest.mark.parametrize("name", ["", "x.json", "1.json", "000001.json.partial", "000001.parquet"])
def test_other_names_are_no_manifests(name: str) -> None:
    assert shard_of_manifest(name) is None


def test_the_layout_is_that_of_the_design(store: Location) -> None:
    features = features_folder(store, data_set="fma", key="default-12345678")
    assert features.uri == f"{store.uri}/features/fma/default-12345678"
    assert (features / shard_name(3)).uri.endswith("/log_mel/c/3/0/0/0")
    assert (features / manifest_name(3)).uri.endswith("/manifests/000003.json")
    assert (features / plan_name(3)).uri.endswith("/plans/000003.parquet")
    claim = claim_location(store, "features/fma/default-12345678")
    assert claim.uri == f"{store.uri}/claims/features-fma-default-12345678.json"


def test_a_store_is_made_once(place: Location) -> None:
    with pytest.raises(NotFound, match="no store at"):
        open_store(place)
    made = create_store(place)
    assert (made / "store.json").read_bytes() == b'{"format": 1}\n'
    assert create_store(place) == open_store(place) == made


def test_another_format_is_refused_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "store.json").write_text('{"format": 2}')
    for opening in (open_store, create_store):
        with pytest.raises(UnknownFormat, match=r"format 2, this version knows 1") as caught:
            opening(tmp_path)
        assert caught.value.remedied_by_user
        assert isinstance(caught.value, StorageError)


@pytest.mark.parametrize("text", ["", "[]", "{}", '"x"'])
def test_something_else_is_no_store(tmp_path: Path, text: str) -> None:
    (tmp_path / "store.json").write_text(text)
    with pytest.raises(UnknownFormat, match="name another --store"):
        create_store(tmp_path)
