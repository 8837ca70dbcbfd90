"""What a killed training leaves under the temporary folder, the next run sweeps."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from fault_genre import Genre
from fault_processes import nothing_left, wait_until
from fault_stores import FeaturesFolder

from storage.places.temporary_folders import temporary_folder

pytestmark = pytest.mark.faults


def test_a_killed_training(
    genre: Genre, data: Path, store: Path, undisturbed: FeaturesFolder, tmp_path: Path
) -> None:
    shutil.copytree(undisturbed.path.parents[2], store)
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    command = Genre(genre.folder, {**genre.env, "TMPDIR": str(temporary)})
    arguments = ["train", "--data", data, "--store", store, "--epochs", "1"]
    with temporary_folder("model", parent=temporary) as living:
        with nothing_left(command.start(*arguments)) as run:
            wait_until(lambda: len(_folders(temporary)) > 1, what="the training's folder")
            run.kill()
            wait_until(lambda: not run.descendants(), every_s=0.1, what="nothing is left of it")
        assert len(_folders(temporary)) > 1
        assert not command(*arguments)["reused"]
        assert _folders(temporary) == [living.parent]
        assert living.exists()


def _folders(temporary: Path) -> list[Path]:
    return list(temporary.glob("genre-model-*"))
