"""A refused command says so in one sentence and leaves the store as it was, byte for byte."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytest
from command import Commands, one_after_the_other
from tiny_fma import tracks_csv

from genre_model import frontends
from storage.array.layout import manifest_name
from storage.array.manifests import RowRecord, ShardManifest
from storage.array.plans import AudioState, plan_work
from storage.places.address import parse_location
from storage.store import Store
from tasks.catalogue import find_catalogue, store_catalogue
from tasks.features import array_attributes, array_layout

pytestmark = pytest.mark.whole

ONE_GENRE = [(100 + n, "Rock", split) for n, split in enumerate(("training", "test"))]


@dataclass(frozen=True)
class Made:
    """A folder with data of all sorts, and a store with features of `music` and `single`."""

    folder: Path
    store: Path
    catalogue: str


def digest(folder: Path) -> Mapping[str, str]:
    """Give the content of every file below, and every folder."""
    return {
        str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest()
        if path.is_file()
        else "folder"
        for path in sorted(folder.rglob("*"))
    }


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("refused")
    store = Store.create(folder / "store")
    _songs(folder / "data" / "fresh", songs=4)
    _songs(folder / "data" / "single", songs=1)
    _songs(folder / "data" / "music", songs=4)
    _songs(folder / "data" / "one" / "rock", songs=1)
    (folder / "data" / "song.wav").write_bytes(b"-")
    for name, table in (("lone", tracks_csv(ONE_GENRE)), ("cells", tracks_csv([]))):
        (folder / name / "fma_small").mkdir(parents=True)
        (folder / name / "fma_metadata").mkdir()
        text = table if name == "lone" else table.replace(",", ";")
        (folder / name / "fma_metadata" / "tracks.csv").write_text(text)
    catalogues = [_features(store, folder / "data" / name) for name in ("single", "music")]
    _model(folder / "store" / "models" / "default-1")
    return Made(folder, folder / "store", catalogues[-1])


def _songs(folder: Path, *, songs: int) -> None:
    for genre in ("rock", "pop"):
        (folder / genre).mkdir(parents=True)
        for number in range(songs):
            (folder / genre / f"{number}.wav").write_bytes(b"-")


def _features(store: Store, data: Path) -> str:
    """Write what listings and tables see of a finished array, and the catalogue."""
    found, spec = find_catalogue.fn(parse_location(data)), frontends.preset("default")
    array = store.features.create(
        data_set=found.catalogue.data_set,
        name=spec.key,
        layout=array_layout(spec),
        attributes=array_attributes(spec),
    )
    tracks = found.catalogue.tracks
    wanted = [
        AudioState(int(track), str(path), 1, "1")
        for track, path in zip(tracks["track_id"], tracks["path"], strict=True)
    ]
    plan = plan_work(array.inventory().known, wanted, hashes={})
    array.prepare(plan)
    (work,) = plan.shards
    records = tuple(
        RowRecord(
            row=row,
            track_id=state.track_id,
            path=state.path,
            size=1,
            etag="1",
            sha256=f"{row:064x}",
            status="ok",
            windows=10,
            stored=9,
            checksum="0" * 8,
        )
        for row, state in work.rows
    )
    manifest = ShardManifest(shard=0, rows=records, size=1, sha256="0" * 64)
    (array.location / array_layout(spec).shard_name(0)).write_bytes(b"-")
    (array.location / manifest_name(0)).write_bytes(manifest.to_json())
    array.finalise()
    return store_catalogue.fn(store, found)


def _model(folder: Path) -> None:
    folder.mkdir(parents=True)
    params = {"id": folder.name, "network": "default", "seed": 0, "features": {"name": "default"}}
    (folder / "params.json").write_text(json.dumps(params))
    (folder / "model.keras").write_bytes(b"-")


REFUSED = [
    (["train", "--data", "data/fresh"], "has no 'default' features of 'fresh'; run `genre feat"),
    (["train", "--data", "data/single"], "is in the split 'validation' (2 in all splits); put mo"),
    (["train", "--data", "data/one"], "has audio in one folder only"),
    (["train", "--data", "lone"], "all 2 tracks of"),
    (["train", "--data", "data/song.wav"], "song.wav"),
    (["train", "--data", "nowhere"], "nowhere is empty or not there"),
    (["train", "--catalogue", "zzz"], "no catalogue 'zzz'"),
    (["train", "--subset", "medium"], "no catalogue of the subset 'medium' (there: "),
    (["train", "--preset", "notebook"], "has no 'notebook' features of 'music'"),
    (["train", "--catalogue", "zzz", "--data", "data/music"], "leave --catalogue or --data out"),
    (["train", "--catalogue", "zzz", "--subset", "full"], "leave --catalogue or --subset out"),
    (["train", "--data", "data/music", "--subset", "small"], "--subset small is for FMA's layout"),
    (["sweep", "--data", "data/fresh"], "has no 'default' features of 'fresh'; run `genre feat"),
    (["sweep", "--catalogue", "zzz"], "no catalogue 'zzz'"),
    (["sweep", "--catalogue", "zzz", "--data", "data/music"], "leave --catalogue or --data out"),
    (["sweep", "--set", "training.epochs=3,5", "--epochs", "3"], "say the same; leave one of them"),
    (["sweep", "--set", "training.epochs=3,"], "has an empty value"),
    (["sweep", "--set", "training.epochs="], "gives no value"),
    (
        ["sweep", "--set", "training.epochs=3", "--set", "training.epochs=5"],
        "training.epochs twice",
    ),
    (["sweep", "--set", "training.epoch=3,5"], "the nearest is training.epochs"),
    (["sweep", "--set", "training.learning_rate=0.1,5"], "training.learning_rate is 5; it must be"),
    (["sweep", "--set", "training.seed=3,5"], "is said by --seed and --seeds; leave it out"),
    (
        ["sweep", "--set", "model.network=default,mlp"],
        "with model.network=mlp of the sweep: the net",
    ),
    (["sweep", "--set", "model.network=default,loud"], "there is no network 'loud'"),
    (
        ["sweep", "--set", "training.batch_size=" + ",".join(map(str, range(1, 1002)))],
        "it may have 1,000 trainings",
    ),
    (["sweep", "--seeds", "0"], "'--seeds': 0 is not in the range 1<=x<=100"),
    (["sweep", "--trials", "0"], "'--trials': 0 is not in the range"),
    (["run", "--start-at", "training", "--data", "data/fresh"], "has no catalogue of"),
    (["run", "--start-at", "training", "--catalogue", "zzz"], "no catalogue 'zzz'"),
    (["run", "--start-at", "training", "--subset", "small"], "of the subset 'small'"),
    (["run", "--start-at", "evaluation", "--catalogue", "zzz"], "--catalogue has no use with"),
    (["run", "--start-at", "evaluation", "--model", "zzz"], "has no model of id 'zzz'"),
    (["run", "--start-at", "evaluation", "--seed", "7"], "has no model of seed 7"),
    (["run", "--data", "cells"], "has semicolons between its columns"),
    (["features", "--data", "nowhere"], "nowhere is empty or not there"),
    (["features", "--data", "data/music", "--subset", "small"], "is for FMA's layout"),
    (["features", "--data", "data/music", "--scheduler", "tcp://127.0.0.1:1"], "no Dask schedul"),
    (
        ["features", "--data", "data/music", "--scheduler", "tcp://h:1", "--workers", "2"],
        "leave --scheduler or --workers out",
    ),
    (["evaluate", "--model", "zzz"], "has no model of id 'zzz'"),
    (["evaluate", "--preset", "notebook"], "has no model of preset 'notebook'"),
    (["predict", "data/song.wav"], "has no champion yet"),
    (["predict", "data/song.wav", "--model", "zzz"], "There is no model 'zzz'"),
]


@pytest.fixture(scope="module")
def commands(made: Made) -> Iterator[Commands]:
    with one_after_the_other(made.folder) as commands:
        yield commands


@pytest.mark.parametrize(("arguments", "says"), REFUSED, ids=lambda each: str(each)[:60])
def test_what_is_refused_at_once(
    made: Made, commands: Commands, arguments: list[str], says: str
) -> None:
    before = digest(made.store)
    ended = commands(*arguments, "--store", made.store)
    assert ended.code == 2, ended.err
    starts = ("genre: ", "Error: ")
    (sentence,) = [line for line in ended.err.splitlines() if line.startswith(starts)]
    assert says in sentence
    assert "Traceback" not in ended.err
    assert ended.out == ""
    assert digest(made.store) == before
    assert not list(made.folder.rglob("*.db")), "a server was started for it"


@pytest.fixture(scope="module")
def served(made: Made, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Commands]:
    """Run commands with Prefect's temporary server behind them, where the flow refuses."""
    home = str(tmp_path_factory.mktemp("served"))
    with one_after_the_other(made.folder, PREFECT_HOME=home) as commands:
        yield commands


def test_the_array_of_another_version_is_refused_before_the_catalogue_is_written(
    made: Made, served: Commands
) -> None:
    (array,) = (made.store / "features" / "single").glob("default-*")
    description = array / "zarr.json"
    whole = json.loads(description.read_text())
    other = whole | {"attributes": whole["attributes"] | {"format": 99}}
    (made.folder / "data" / "single" / "rock" / "new.wav").write_bytes(b"-")
    try:
        description.write_text(json.dumps(other))
        before = digest(made.store)
        ended = served("features", "--data", "data/single", "--store", made.store)
        assert ended.code == 2, ended.err
        assert "says format 99, this version knows 1" in ended.err
        assert digest(made.store) == before
    finally:
        description.write_text(json.dumps(whole))
        (made.folder / "data" / "single" / "rock" / "new.wav").unlink()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["features", "--data", "lone"], "choose a larger --subset, or use a tracks.csv whose col"),
        (["run", "--data", "data/single"], "in the splits 'validation' and 'test', without which"),
    ],
)
def test_too_little_is_refused_before_anything_is_decoded(
    made: Made, served: Commands, arguments: list[str], says: str
) -> None:
    for store in (made.store, made.folder / "no-store"):
        before = digest(store) if store.exists() else None
        ended = served(*arguments, "--store", store)
        assert ended.code == 2, ended.err
        assert says in ended.err
        assert "features:" not in ended.err
        assert (digest(store) if store.exists() else None) == before
