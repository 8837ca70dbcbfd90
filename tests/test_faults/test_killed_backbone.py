"""Embeddings of a backbone keep what spectrograms keep: kills, S3, a second run."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from fault_genre import Genre
from fault_kills import draw, tally
from fault_processes import nothing_left, wait_until
from fault_stores import FeaturesFolder, as_folder, assert_same_features, files, temporary_files
from made_nets import mean_net
from seaweedfs import SeaweedFS, weed

from storage.places.address import parse_location

pytestmark = pytest.mark.faults

WORKERS = ["--workers", "2"]
PRESET = ["--preset", "stand-in"]


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("net") / "stand-in.onnx"
    file.write_bytes(mean_net(values=200))
    return file


def add(genre: Genre, net: Path, store: object) -> None:
    given = ["--onnx", net, "--frontend", "musicnn", "--output", "embedding", "--licence", "none"]
    genre("backbone", "add", "stand-in", *given, "--store", store)


@pytest.fixture(scope="module")
def undisturbed(
    net: Path, data: Path, prefect_api: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[FeaturesFolder]:
    folder = tmp_path_factory.mktemp("backbone")
    genre, store = Genre(folder, {"PREFECT_API_URL": prefect_api}), folder / "store"
    add(genre, net, store)
    told = genre("features", "--data", data, "--store", store, *PRESET, *WORKERS)
    assert (told["tracks"], told["quarantined"], told["shards"]) == (384, 5, 6)
    yield FeaturesFolder.only_one(store)
    shutil.rmtree(store)


def test_a_second_run_writes_nothing(undisturbed: FeaturesFolder, genre: Genre, data: Path) -> None:
    store = undisturbed.path.parents[2]
    before = files(undisturbed.path)
    told = genre("features", "--data", data, "--store", store, *PRESET, *WORKERS)
    assert (told["written"], told["reused"]) == (0, 379)
    assert files(undisturbed.path) == before


@pytest.mark.parametrize("moment", range(5))
def test_a_killed_run(
    moment: int, undisturbed: FeaturesFolder, genre: Genre, net: Path, data: Path, store: Path
) -> None:
    told = tally("driver killed, with a backbone")
    add(genre, net, store)
    arguments = ["features", "--data", data, "--store", store, *PRESET, *WORKERS]
    features = FeaturesFolder(
        store / undisturbed.path.relative_to(undisturbed.path.parents[2]), "embedding"
    )
    with nothing_left(genre.start(*arguments, "--json")) as run:
        wait_until(lambda: len(run.decoders()) == 2, every_s=0.05, what="two decoders")
        draw(undisturbed.writing(), moment)(features)
        run.kill()
        finished = told.note(features, len(undisturbed.finished))
        before = features.files_of(finished)
        told.ends_s.append(
            wait_until(lambda: not run.descendants(), every_s=0.1, what="nothing is left of it")
        )
    genre(*arguments)
    assert features.files_of(finished) == before
    assert_same_features(features, undisturbed)
    assert temporary_files(store) == []


def test_a_bucket_gets_the_same_bytes(
    undisturbed: FeaturesFolder, genre: Genre, net: Path, data: Path, tmp_path: Path
) -> None:
    assert weed(), "SeaweedFS is not installed: run `make services`"
    with SeaweedFS(tmp_path / "seaweedfs") as server:
        server.make_bucket("box")
        options = json.dumps(server.options())
        on_s3 = Genre(genre.folder, {**genre.env, "GENRE_STORAGE_OPTIONS": options})
        add(on_s3, net, "s3://box/store")
        on_s3("features", "--data", data, "--store", "s3://box/store", *PRESET, *WORKERS)
        found = as_folder(parse_location("s3://box/store", server.options()), tmp_path / "copy")
        assert_same_features(found, undisturbed)
