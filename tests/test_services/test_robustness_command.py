"""`genre evaluate --robustness` on real workers: what it tells, keeps, and finds again."""

from __future__ import annotations

import json
import shutil
from importlib import resources
from pathlib import Path

import jsonschema
import pytest
from command import Genre
from tiny_fma import write_tiny_fma

from genre_model.disturbing.disturbances import DISTURBANCES

pytestmark = pytest.mark.services


@pytest.fixture(scope="module")
def genre(tmp_path_factory: pytest.TempPathFactory) -> Genre:
    """Run everything on 28 clips, with statistics that are fitted in a second."""
    folder = tmp_path_factory.mktemp("robustness")
    write_tiny_fma(folder / "fma")
    genre = Genre(folder)
    given = ("--data", folder / "fma", "--store", folder / "store", "--preset", "mfcc")
    done = genre("run", *given, "--workers", "1", "--json")
    assert done.code == 0, done.err
    return genre


def test_metrics_and_report_tell_what_each_costs_and_it_is_found_again(genre: Genre) -> None:
    store = genre.folder / "store"
    command = ("evaluate", "--store", store, "--robustness", "--workers", "2")
    first = genre(*command, "--json")
    assert first.code == 0, first.err
    told = first.json["robustness"]
    assert [each["name"] for each in told] == list(DISTURBANCES)
    assert {each["tracks"] for each in told} == {6}
    assert told[0]["track_accuracy"] == first.json["track_accuracy"]
    assert told[0]["difference"] == 0
    assert "robustness: 6 of 6 tracks, " in first.err
    assert first.json["readings"] == 2
    report = Path(first.json["report"])
    for name in ("report.html", "report.md"):
        assert "two semitones higher" in (report.parent / name).read_text(), name
    metrics = json.loads((report.parent / "metrics.json").read_text())
    schema = json.loads(
        (resources.files("genre_model.judging") / "metrics.schema.json").read_text()
    )
    jsonschema.validate(metrics, schema)
    again = genre(*command)
    assert again.code == 0, again.err
    assert "robustness: 6 of 6" not in again.err
    assert "two semitones lower: " in again.out
    assert "read 2 times" in again.out
    assert genre("status", "--store", store, "--verify", "--json").json["problems"] == []


def test_a_cluster_that_runs_hears_the_same(
    genre: Genre, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from distributed import LocalCluster

    command = ("evaluate", "--store", genre.folder / "store", "--robustness", "--refresh", "--json")
    alone = genre(*command, "--workers", "1")
    monkeypatch.chdir(tmp_path)  # where the worker runs, which sees all by absolute paths
    with LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster:
        joined = genre(*command, "--scheduler", cluster.scheduler_address)
    assert joined.code == 0, joined.err
    assert joined.json["robustness"] == alone.json["robustness"]


def test_where_no_scheduler_answers_nothing_is_evaluated(genre: Genre) -> None:
    store, address = genre.folder / "store", "tcp://127.0.0.1:9"
    (metrics,) = store.glob("models/*/evaluation/test/metrics.json")
    before = metrics.read_bytes()
    again = ("evaluate", "--store", store, "--robustness", "--refresh")
    ended = genre(*again, "--scheduler", address)
    assert ended.code == 2
    (sentence,) = [line for line in ended.err.splitlines() if line.startswith("genre: ")]
    assert f"no Dask scheduler answers at {address}" in sentence
    assert metrics.read_bytes() == before


def test_audio_that_is_not_there_is_one_sentence_and_changes_nothing(genre: Genre) -> None:
    store = genre.folder / "store"
    (metrics,) = store.glob("models/*/evaluation/test/metrics.json")
    before = metrics.read_bytes()
    shutil.move(genre.folder / "fma", genre.folder / "moved")
    ended = genre("evaluate", "--store", store, "--robustness", "--refresh", "--workers", "1")
    assert ended.code == 2, ended.err
    (sentence,) = [line for line in ended.err.splitlines() if line.startswith("genre: ")]
    assert "none of the 6 clips of the test split can be heard" in sentence
    assert metrics.read_bytes() == before
