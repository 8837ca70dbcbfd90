"""Processes of `genre features` are killed or interrupted while it writes; nothing is lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from fault_genre import Genre, sentences
from fault_kills import draw, tally
from fault_processes import Started, nothing_left, wait_until
from fault_stores import FeaturesFolder, assert_same_features, temporary_files

pytestmark = pytest.mark.faults

MOMENTS = range(3)
WORKERS = ["--workers", "2"]


@pytest.fixture(scope="module")
def paced(
    data: Path,
    undisturbed: FeaturesFolder,
    prefect_api: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> FeaturesFolder:
    """Run the command and leave it alone: its pace is that of the runs to be killed."""
    folder = tmp_path_factory.mktemp("paced")
    genre = Genre(folder, {"PREFECT_API_URL": prefect_api})
    told = genre("features", "--data", data, "--store", folder / "store", *WORKERS)
    assert (told["tracks"], told["quarantined"], told["shards"]) == (384, 5, 6)
    features = FeaturesFolder.only_one(folder / "store")
    assert_same_features(features, undisturbed)
    return features


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("killed", ["driver", "one worker", "all workers"])
def test_a_killed_run(
    killed: str,
    moment: int,
    genre: Genre,
    genre_alone: Genre,
    data: Path,
    store: Path,
    paced: FeaturesFolder,
) -> None:
    told = tally(f"{killed} killed, through genre features")
    # One of the killed drivers leaves behind a temporary server of Prefect, too.
    command = genre_alone if killed == "driver" and moment == 0 else genre
    features = FeaturesFolder(store / paced.path.relative_to(paced.path.parents[2]))
    with nothing_left(
        command.start("features", "--data", data, "--store", store, *WORKERS, "--json")
    ) as run:
        _until_decoding(run)
        draw(paced.writing(), moment)(features)
        _kill(run, killed)
        finished = told.note(features, len(paced.finished))
        before = features.files_of(finished)
        if killed == "driver":
            told.ends_s.append(_until_alone(run))
        else:
            assert run.wait() == 0, run.said
    rerun = command("features", "--data", data, "--store", store, *WORKERS)
    left = len(paced.finished) - len(finished) if killed == "driver" else 0
    assert bool(rerun["written"]) == bool(left)
    assert rerun["written"] + rerun["reused"] + rerun["quarantined"] == rerun["tracks"] == 384
    assert {path: _identity(path) for path in before} == before
    assert_same_features(features, paced)
    assert temporary_files(store) == []


@pytest.mark.parametrize(
    ("end", "status", "word"),
    [
        (Started.interrupt, 130, "interrupted"),
        (Started.terminate, 143, "terminated"),
        (Started.terminate_all, 143, "terminated"),
    ],
    ids=["Ctrl-C", "SIGTERM", "SIGTERM to all"],
)
def test_an_interrupted_run(
    end: Callable[[Started], None],
    status: int,
    word: str,
    genre_alone: Genre,
    data: Path,
    store: Path,
    paced: FeaturesFolder,
) -> None:
    features = FeaturesFolder(store / paced.path.relative_to(paced.path.parents[2]))
    arguments = ["features", "--data", data, "--store", store, *WORKERS]
    with nothing_left(genre_alone.start(*arguments)) as run:
        wait_until(lambda: bool(features.finished), what="a manifest")
        end(run)
        assert run.wait() == status, run.said
        finished = features.finished
        before = features.files_of(finished)
        assert run.out.read_text() == ""
        (sentence,) = sentences(run)
        assert sentence == f"genre: {word}; the same command goes on where it stopped"
        assert "Traceback" not in run.said
        _until_alone(run)
    rerun = genre_alone(*arguments)
    assert bool(rerun["written"]) == (len(finished) < len(paced.finished))
    assert {path: _identity(path) for path in before} == before
    assert_same_features(features, paced)
    assert temporary_files(store) == []


def _until_decoding(run: Started) -> None:
    """Wait until both workers are at work, so that a kill hits writing and not start-up."""
    wait_until(lambda: len(run.decoders()) == 2, every_s=0.05, what="two decoders")


def _kill(run: Started, killed: str) -> None:
    if killed == "driver":
        run.kill()
        return
    workers = run.workers()
    assert len(workers) == 2
    for worker in workers[: 1 if killed == "one worker" else 2]:
        try:
            worker.kill()
        except psutil.NoSuchProcess:
            continue


def _until_alone(run: Started) -> float:
    return wait_until(lambda: not run.descendants(), every_s=0.1, what="nothing is left of it")


def _identity(path: str) -> tuple[int, int]:
    status = Path(path).stat()
    return status.st_ino, status.st_mtime_ns
