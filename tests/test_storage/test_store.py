"""The file that says that a folder is a store, and where everything lies in one."""

from __future__ import annotations

from pathlib import Path

import pytest
from feature_runs import LAYOUT, NAME, open_array

from storage.array.layout import manifest_name, plan_name
from storage.errors import Damaged, NotFound, StorageError, UnknownFormat
from storage.places.location import Location
from storage.store import Store


def test_the_layout_is_that_of_the_design(store: Store) -> None:
    features = open_array(store).location
    assert features.uri == f"{store.uri}/features/fma/{NAME}"
    assert (features / LAYOUT.shard_name(3)).uri.endswith("/log_mel/c/3/0/0/0")
    assert (features / manifest_name(3)).uri.endswith("/manifests/000003.json")
    assert (features / plan_name(3)).uri.endswith("/plans/000003.parquet")
    claim = store.claim(store.features.claim_name(data_set="fma", name=NAME)).location
    assert claim.uri == f"{store.uri}/claims/features-fma-{NAME}.json"
    assert store.models.location("m").uri == f"{store.uri}/models/m"
    assert store.models.champion_file.uri == f"{store.uri}/champion.json"
    assert store.catalogues.location.uri == f"{store.uri}/catalogues"


@pytest.mark.parametrize(
    "tail", ["", "/", "/models/a-1", "/models/a-1/", "/models/a-1/model.keras"]
)
def test_the_address_of_a_store_or_of_a_model_in_it(place: Location, tail: str) -> None:
    options = getattr(place, "options", None)
    store = Store.create(place)
    assert Store.is_at(store.uri, options)
    model = "a-1" if "a-1" in tail else None
    assert Store.of_model(store.uri + tail, options) == (store, model)


def test_a_store_in_a_folder_called_models_is_no_model(place: Location) -> None:
    options = getattr(place, "options", None)
    store = Store.create(place / "models" / "mine")
    assert Store.of_model(store.uri, options) == (store, None)
    assert Store.of_model(f"{store.uri}/models/a-1", options) == (store, "a-1")


def test_a_store_is_made_once(place: Location) -> None:
    with pytest.raises(NotFound, match="no store at"):
        Store.open(place)
    made = Store.create(place)
    assert (made.location / "store.json").read_bytes() == b'{"format": 1}\n'
    assert Store.create(place) == Store.open(place) == made


def test_another_format_is_refused_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "store.json").write_text('{"format": 2}')
    for opening in (Store.open, Store.create):
        with pytest.raises(UnknownFormat, match=r"format 2, this version knows 1") as caught:
            opening(tmp_path)
        assert caught.value.remedied_by_user
        assert isinstance(caught.value, StorageError)


@pytest.mark.parametrize("text", ["", "[]", "{}", '"x"'])
def test_something_else_is_no_store(tmp_path: Path, text: str) -> None:
    (tmp_path / "store.json").write_text(text)
    with pytest.raises(UnknownFormat, match="name another --store"):
        Store.create(tmp_path)


@pytest.mark.parametrize("name", ["store.json", "champion.json", "claims/features-x.json"])
def test_a_document_larger_than_the_memory_is_damaged_and_not_read(
    tmp_path: Path, name: str
) -> None:
    store = Store.create(tmp_path)
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    with path.open("wb") as file:
        file.truncate(100 * 2**30)
    asked = {
        "store.json": lambda: Store.open(tmp_path),
        "champion.json": store.models.champion,
        "claims/features-x.json": store.claim("features/x").__enter__,
    }
    with pytest.raises(Damaged, match=rf"{name} (has|is)"):
        asked[name]()
