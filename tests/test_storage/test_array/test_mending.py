"""Plans, descriptions and tables that are damaged or gone are named, and made as they were."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from feature_runs import LAYOUT, NAME, library, open_array, run

from storage.array.verification import verify
from storage.errors import Damaged, UnknownFormat
from storage.proof.problems import Problem
from storage.store import Store

pytestmark = pytest.mark.whole

TRACKS = 100
PLACE = {"data_set": "fma", "name": NAME}
ATTRIBUTES = {"preset": "default", "spec": {"n_fft": 1024}}
FILES = [
    *(f"plans/00000{number}.parquet" for number in range(3)),
    "zarr.json",
    "log_mel/zarr.json",
    "rows.parquet",
    "quarantine.parquet",
    "manifests/000001.json",
    LAYOUT.shard_name(1),
]


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


def as_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()
    (path / "kept").write_text("by somebody")


DAMAGES: dict[str, Callable[[Path], object]] = {
    "a flipped bit": flip,
    "cut off": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "empty": lambda path: path.write_bytes(b""),
    "gone": Path.unlink,
    "a folder": as_folder,
}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an array of three plans, the last of which has written nothing yet."""
    path = tmp_path_factory.mktemp("template") / "store"
    features = open_array(Store.create(path))
    for tracks in (TRACKS, 2 * TRACKS, 3 * TRACKS):
        run(features, library(tracks))
    return path


@pytest.fixture
def store(template: Path, tmp_path: Path) -> Store:
    """Copy the store, with the times of its files."""
    shutil.copytree(template, tmp_path / "store")
    return Store.open(tmp_path / "store")


def array(store: Store) -> Path:
    found = store.features.place("fma", NAME).local_path
    assert found is not None
    return found


def content(store: Store) -> dict[str, bytes]:
    root = array(store)
    files = (path for path in sorted(root.rglob("*")) if path.is_file() and path.name != "kept")
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in files}


def mend(store: Store) -> list[Problem]:
    found = store.features.mend(**PLACE, layout=LAYOUT, attributes=ATTRIBUTES)
    run(open_array(store), library(3 * TRACKS))
    return found


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", FILES)
def test_what_is_damaged_is_named_and_made_again(store: Store, name: str, damage: str) -> None:
    before, path = content(store), array(store) / name
    DAMAGES[damage](path)
    told = [problem for _, problem in store.verify()]
    assert str(path) in {problem.path for problem in told}
    assert all(problem.costs and problem.mend for problem in told)
    assert mend(store)
    assert store.verify() == []
    kept = [each.read_text() for each in array(store).rglob("kept")]
    assert kept == (["by somebody"] if damage == "a folder" else [])
    after = content(store)
    assert list(after) == list(before)
    # the tables hold the times of the manifests' files; a manifest the seconds it took
    written_again = {"rows.parquet", "manifests/000001.json"}
    assert [
        each for each in before if after[each] != before[each] and each not in written_again
    ] == []


def test_nothing_is_made_again_where_all_is_well(store: Store) -> None:
    before = content(store)
    assert mend(store) == []
    assert content(store) == before


def test_plans_of_an_older_version_are_sealed_as_they_are(store: Store) -> None:
    from storage.proof.seals import BLANK

    before, path = content(store), array(store) / "plans/000001.parquet"
    data = path.read_bytes()
    start = data.rindex(BLANK[:19])
    path.write_bytes(data[:start] + b"S" + data[start + 1 :])
    (problem,) = (problem for _, problem in store.verify())
    assert (problem.what, problem.path) == ("plan damaged", str(path))
    assert "has no seal" in problem.detail
    mend(store)
    assert content(store) == before


def test_several_plans_that_are_gone_become_one(store: Store) -> None:
    before = content(store)
    for number in (1, 2):
        (array(store) / f"plans/00000{number}.parquet").unlink()
    (problem,) = (problem for _, problem in store.verify())
    assert problem.path == str(array(store) / "plans/000001.parquet")
    mend(store)
    assert store.verify() == []
    after = content(store)
    assert {name: after[name] for name in after if name.startswith("log_mel")} == {
        name: before[name] for name in before if name.startswith("log_mel")
    }


def test_rows_of_a_lost_plan_that_were_not_written_are_planned_anew(store: Store) -> None:
    features = open_array(store)
    run(features, library(5 * TRACKS), stop_after=1)
    (array(store) / "plans/000003.parquet").unlink()
    store.features.mend(**PLACE, layout=LAYOUT, attributes=ATTRIBUTES)
    run(features, library(5 * TRACKS))
    assert verify(features) == []
    rows = features.rows()
    assert sorted(rows.loc[rows["track_id"] >= 0, "track_id"].unique()) == list(range(5 * TRACKS))


def test_edited_attributes_are_not_believed(store: Store) -> None:
    path = array(store) / "zarr.json"
    group = json.loads(path.read_bytes())
    group["attributes"]["spec"]["n_fft"] = 2048
    path.write_text(json.dumps(group, indent=2) + "\n")
    with pytest.raises(Damaged, match="its seal does not hold"):
        store.features.open(**PLACE)


def test_another_versions_array_is_not_mended(store: Store) -> None:
    from storage.proof.seals import seal_document

    path = array(store) / "zarr.json"
    group = json.loads(path.read_bytes())
    content = {key: value for key, value in group["attributes"].items() if key != "seal"}
    group["attributes"] = seal_document({**content, "format": 2}, of=f"fma/{NAME}")
    path.write_text(json.dumps(group))
    before = path.read_bytes()
    with pytest.raises(UnknownFormat, match="format 2"):
        mend(store)
    assert path.read_bytes() == before
