"""A run whose cluster goes for good ends with one sentence, and the next one goes on."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest
from fault_genre import Genre, sentences
from fault_processes import nothing_left, wait_until
from fault_stores import FeaturesFolder, assert_same_features, temporary_files

pytestmark = pytest.mark.faults


@pytest.mark.parametrize("gone", ["distributed.Scheduler", "distributed.Nanny"])
def test_a_cluster_that_is_gone(
    gone: str, genre: Genre, data: Path, store: Path, undisturbed: FeaturesFolder
) -> None:
    arguments = ["features", "--data", data, "--store", store, "--workers", "2"]
    with nothing_left(genre.start(*arguments)) as run:
        wait_until(lambda: any(store.glob("**/manifests/*")), what="a manifest")
        for process in run.named(gone):
            for child in [*process.children(recursive=True), process]:
                _kill(child)
        assert run.wait() == 1, run.said
        (sentence,) = sentences(run)
        assert "run the same command again" in sentence
        assert run.out.read_text() == ""
        wait_until(lambda: not run.descendants(), what="nothing is left of it")
    features = FeaturesFolder.only_one(store)
    before = features.files_of(features.finished)
    genre(*arguments)
    assert (
        features.files_of({int(Path(path).stem) for path in before if "manifests" in path})
        == before
    )
    assert_same_features(features, undisturbed)
    assert temporary_files(store) == []


def _kill(process: psutil.Process) -> None:
    try:
        process.kill()
    except psutil.NoSuchProcess:
        return
