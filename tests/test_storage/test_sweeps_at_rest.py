"""The tables of sweeps in the store: whole, sealed, listed, and named where they are damaged."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from storage.errors import Damaged, NotFound
from storage.places.location import Location
from storage.store import Store
from storage.sweeps import SWEEP_COLUMNS, SweepTable

LINES = pd.DataFrame(
    {
        **{name: ["a", "b", "c"] for name in SWEEP_COLUMNS},
        "status": ["done", "failed", "open"],
        "seed": [0, 1, 2],
        "validation_track_accuracy": [0.5, float("nan"), float("nan")],
    }
)


def written(store: Store, sweep: str = "sweep-1") -> SweepTable:
    table = store.sweeps.table(sweep)
    table.write(LINES)
    return table


def test_a_table_is_read_as_it_was_written_and_listed(place: Location) -> None:
    store = Store.create(place)
    assert store.status().sweeps == ()
    with pytest.raises(NotFound):
        store.sweeps.table("sweep-1").read()
    table = written(store)
    assert table.location.uri == f"{place.uri}/sweeps/sweep-1/results.parquet"
    pd.testing.assert_frame_equal(table.read(must_be_sealed=True), LINES[list(SWEEP_COLUMNS)])
    written(store, "sweep-2")
    summary = store.status()
    assert [each.id for each in summary.sweeps] == ["sweep-1", "sweep-2"]
    first = summary.sweeps[0]
    assert (first.trainings, first.done, first.failed) == (3, 1, 1)
    assert summary.to_dict()["sweeps"][0] == {"id": "sweep-1", **vars(first)}  # type: ignore[index]
    assert store.verify() == []


@pytest.mark.parametrize("damage", ["flipped", "of another", "folder", "no columns"])
def test_what_is_not_as_it_was_written_is_named_and_written_again(
    tmp_path: Path, damage: str
) -> None:
    store = Store.create(tmp_path / "store")
    table, other = written(store), written(store, "sweep-2")
    path = Path(table.location.uri)
    content = bytearray(path.read_bytes())
    if damage == "flipped":
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    elif damage == "of another":
        path.write_bytes(Path(other.location.uri).read_bytes())
    elif damage == "folder":
        path.unlink()
        path.mkdir()
    else:
        store.catalogues.write("fma-1", LINES, attributes={})
        path.write_bytes((tmp_path / "store" / "catalogues" / "fma-1.parquet").read_bytes())
        store.catalogues.place("fma-1").delete()
    ((thing, problem),) = store.verify()
    assert (thing, problem.what, problem.path) == ("sweeps/sweep-1", "sweep damaged", str(path))
    assert "genre sweep" in problem.mend
    summary = store.status()
    assert "sweep-2" in [each.id for each in summary.sweeps]
    written(store)
    assert store.verify() == []


def test_a_name_that_leads_elsewhere_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Damaged, match="is not a sweep's id"):
        Store.create(tmp_path).sweeps.table("../x")
