"""Backbones in a store: added once, proven, listed, removed; contract of every kind of store."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from storage.backbones import BackboneRecord
from storage.errors import Damaged, NameTaken, NotFound, UnknownFormat
from storage.places.location import Location
from storage.store import Store

WEIGHTS = b"weights of a net" * 1_000


def record(name: str = "net", weights: bytes = WEIGHTS) -> BackboneRecord:
    return BackboneRecord(
        name=name,
        sha256=sha256(weights).hexdigest(),
        size=len(weights),
        frontend="musicnn",
        frames=187,
        output="embedding",
        values=200,
        licence="ISC",
        source="a wheel",
        licence_text="Permission …",
        citation="Somebody 2019",
    )


@pytest.fixture
def store(place: Location) -> Store:
    return Store.create(place / "store")


class TestEveryStore:
    """What the feature stage relies on."""

    def test_what_was_added_is_found_and_proven(self, store: Store) -> None:
        assert store.backbones.add(record(), WEIGHTS)
        found = store.backbones.find("net")
        assert found == record()
        store.backbones.check(found)
        assert store.backbones.weights(found).read_bytes() == WEIGHTS
        assert list(store.backbones.problems()) == []
        assert store.verify() == []
        assert [each.name for each in store.status().backbones] == ["net"]

    def test_adding_it_twice_writes_nothing(self, store: Store) -> None:
        store.backbones.add(record(), WEIGHTS)
        before = store.location.list(recursive=True)
        assert not store.backbones.add(record(), WEIGHTS)
        assert store.location.list(recursive=True) == before

    def test_another_one_of_its_name_is_refused(self, store: Store) -> None:
        store.backbones.add(record(), WEIGHTS)
        with pytest.raises(NameTaken, match=r"another backbone 'net'.*backbone remove net"):
            store.backbones.add(record(weights=b"others"), b"others")
        assert store.backbones.find("net") == record()

    def test_removed_it_is_gone(self, store: Store) -> None:
        store.backbones.add(record(), WEIGHTS)
        store.backbones.add(record("other", b"others"), b"others")
        assert store.backbones.remove("net") == ([record()], [])
        with pytest.raises(NotFound, match=r"no backbone 'net' \(there: other\)"):
            store.backbones.find("net")
        assert store.verify() == []

    def test_what_a_killed_command_left_is_named_and_removed(self, store: Store) -> None:
        store.backbones.add(record("net-00000000", b"others"), b"others")
        for weights in (WEIGHTS, b"another"):
            left = record(weights=weights)
            store.backbones.weights(left).write_bytes(weights)  # and no document
            ((_, problem),) = store.verify()
            assert problem.mend == "genre backbone remove net"
            assert store.backbones.remove("net") == ([], [f"{left.key}.onnx"])
            assert store.verify() == []
            with pytest.raises(NotFound, match="no backbone 'net'"):
                store.backbones.remove("net")
        assert [each.name for each in store.backbones.records()] == ["net-00000000"]

    def test_another_file_of_the_name_takes_its_place(self, store: Store) -> None:
        left = store.backbones.weights(record(weights=b"of a killed command"))
        left.write_bytes(b"of a killed command")
        assert store.backbones.add(record(), WEIGHTS)
        assert store.verify() == []
        assert not left.exists()
        left.write_bytes(b"of a killed command")
        assert not store.backbones.add(record(), WEIGHTS)
        assert store.verify() == []

    def test_what_could_not_be_read_again_is_not_written(self, store: Store) -> None:
        for changes, says in (
            ({"source": "the file caf\udce9"}, "is not UTF-8"),
            ({"licence_text": "x" * 2**20}, r"has 1,048,\d\d\d bytes, and may have 1,048,576"),
        ):
            with pytest.raises(UnknownFormat, match=says):
                store.backbones.add(replace(record(), **changes), WEIGHTS)  # type: ignore[arg-type]
        assert store.backbones.location.list() == []

    def test_a_changed_file_is_named_and_added_again(self, store: Store) -> None:
        store.backbones.add(record(), WEIGHTS)
        place = store.backbones.weights(record())
        place.write_bytes(WEIGHTS[:-1] + b"x")
        ((thing, problem),) = store.verify()
        assert thing == f"backbones/{record().key}.onnx"
        assert (problem.what, problem.path) == ("backbone damaged", place.uri)
        with pytest.raises(Damaged, match="was changed: its sha256"):
            store.backbones.check(record())
        assert store.backbones.add(record(), WEIGHTS)
        assert store.verify() == []


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"no JSON", b"[" * 100_000, b'{"name": 3, "seal": "0"}']
)
def test_a_changed_document_is_named_and_stops_nothing(tmp_path: Path, content: bytes) -> None:
    store = Store.create(tmp_path)
    store.backbones.add(record(), WEIGHTS)
    store.backbones.add(record("other", b"others"), b"others")
    place = store.backbones.document(record().key)
    place.write_bytes(content)
    ((_, problem),) = store.verify()
    assert (problem.what, problem.path) == ("backbone damaged", place.uri)
    summary = store.status()
    assert [each.name for each in summary.backbones] == ["other"]
    assert [each.path for each in summary.unreadable] == [place.uri]
    assert store.backbones.remove("net") == ([], [f"{record().key}.json", f"{record().key}.onnx"])
    assert store.verify() == []


def test_a_document_that_is_gone_is_missed(tmp_path: Path) -> None:
    store = Store.create(tmp_path)
    store.backbones.add(record(), WEIGHTS)
    store.backbones.document(record().key).delete()
    ((_, problem),) = store.verify()
    assert problem.path == store.backbones.document(record().key).uri
    assert store.backbones.add(record(), WEIGHTS)
    assert store.verify() == []


def test_a_document_in_anothers_place_is_not_believed(tmp_path: Path) -> None:
    store = Store.create(tmp_path)
    store.backbones.add(record(), WEIGHTS)
    (tmp_path / "backbones" / f"{record().key}.json").rename(
        tmp_path / "backbones" / "other-00000000.json"
    )
    with pytest.raises(NotFound):
        store.backbones.find("other")


def test_a_record_of_other_weights_is_a_bug(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="of other weights"):
        Store.create(tmp_path).backbones.add(replace(record(), size=3), WEIGHTS)
