"""What is a folder here must be seen by whoever is given work; a bucket is the same everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flows.engine.shared_folders import require_folder, sample_of
from storage.places.bucket import Bucket
from storage.places.folder import Folder


class Requiring:
    """Counts what is required."""

    def __init__(self) -> None:
        self.requirements: list[Any] = []

    def require(self, requirement: Any) -> None:
        self.requirements.append(requirement)


def test_a_folder_must_be_seen_and_a_bucket_need_not(tmp_path: Path) -> None:
    crew: Any = Requiring()
    require_folder(crew, Bucket("box", "data"), Bucket("box", "data/a.mp3"))
    assert crew.requirements == []
    require_folder(crew, Folder(tmp_path), Folder(tmp_path / "a.mp3"))
    assert len(crew.requirements) == 1


def test_a_folder_that_is_not_there_yet_is_asked_for_by_a_file_that_goes_again(
    tmp_path: Path,
) -> None:
    store = tmp_path / "deeper" / "store"
    with sample_of(store, name="store.json") as sample:
        assert sample.is_file()
        assert sample.parent == tmp_path
    assert list(tmp_path.iterdir()) == []
    store.mkdir(parents=True)
    (store / "store.json").touch()
    with sample_of(store, name="store.json") as sample:
        assert sample == store / "store.json"
    assert list(store.iterdir()) == [sample]


def test_what_lies_in_the_files_place_and_is_none_is_no_sample(tmp_path: Path) -> None:
    (tmp_path / "store.json" / "inside").mkdir(parents=True)
    with sample_of(tmp_path, name="store.json") as sample:
        assert sample.is_file()
        assert sample.parent == tmp_path
    assert not sample.exists()
