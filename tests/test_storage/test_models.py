"""Models are whole once `model.keras` is there; the champion moves by compare-and-swap."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from storage.errors import Damaged, NotFound
from storage.models import Models
from storage.places.bucket import Bucket
from storage.places.location import Location
from storage.store import Store

FILES = {
    "model.keras": b"network",
    "params.json": b'{"network": "seed"}',
    "history.csv": b"epoch,loss\n",
    "logs/run.txt": b"log",
}


@pytest.fixture
def models(place: Location) -> Models:
    """Make an empty store on a folder and on S3."""
    return Store.create(place).models


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """Make a local model folder."""
    for name, content in FILES.items():
        path = tmp_path / "made" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return tmp_path / "made"


class TestPublishing:
    def test_all_files_are_there(self, models: Models, made: Path) -> None:
        assert models.list() == {}
        assert not models.exists("seed-1")
        location = models.publish(made, "seed-1")
        assert models.exists("seed-1")
        assert models.list() == {"seed-1": True}
        entries = location.list(recursive=True)
        found = {entry.name: (location / entry.name).read_bytes() for entry in entries}
        seal = json.loads(found.pop("seal.json"))
        assert found == FILES
        assert (seal["of"], set(seal["files"])) == ("models/seed-1", set(FILES))
        assert models.read_json("seed-1", "params.json") == {"network": "seed"}

    def test_the_model_is_written_last(
        self, models: Models, made: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        written: list[str] = []
        kind = type(models.folder)
        real = kind.write_bytes

        def watch(self: Location, data: bytes) -> None:
            written.append(self.name)
            real(self, data)

        monkeypatch.setattr(kind, "write_bytes", watch)
        models.publish(made, "seed-1")
        assert written[-2:] == ["seal.json", "model.keras"]
        names = ["seal.json", *(name.rpartition("/")[2] for name in FILES)]
        assert sorted(written) == sorted(names)

    def test_half_a_model_does_not_count_and_is_completed(self, models: Models, made: Path) -> None:
        (models.location("seed-1") / "params.json").write_bytes(b"{}")
        assert models.list() == {"seed-1": False}
        assert not models.exists("seed-1")
        with pytest.raises(NotFound, match="seed-1"):
            models.fetch("seed-1")
        models.publish(made, "seed-1")
        assert models.read_json("seed-1", "params.json") == {"network": "seed"}

    def test_a_model_is_immutable(self, models: Models, made: Path) -> None:
        models.publish(made, "seed-1")
        (made / "model.keras").write_bytes(b"another")
        models.publish(made, "seed-1")
        assert (models.location("seed-1") / "model.keras").read_bytes() == b"network"

    def test_what_is_withdrawn_is_missed_by_nobody(
        self, models: Models, made: Path, tmp_path: Path
    ) -> None:
        judged = tmp_path / "judged"
        judged.mkdir()
        (judged / "metrics.json").write_bytes(b"{}")
        (judged / "report.html").write_bytes(b"<html>")
        models.publish(made, "seed-1")
        models.publish_evaluation(judged, "seed-1", split="test")
        assert models.metrics("seed-1") == {}
        assert models.withdraw("seed-1") == ["test"]
        assert models.withdraw("seed-1") == []
        assert not models.exists("seed-1")
        assert models.metrics("seed-1") is None
        assert models.problems("seed-1") == models.evaluation_problems("seed-1", "test") == []
        models.publish(made, "seed-1")
        assert models.evaluation_problems("seed-1", "test") == []
        (models.evaluation("seed-1", "test") / "metrics.json").write_bytes(b"{}")
        assert models.evaluation_problems("seed-1", "test") != []

    def test_a_folder_without_a_model_is_refused(self, models: Models, tmp_path: Path) -> None:
        (tmp_path / "empty").mkdir()
        with pytest.raises(NotFound, match=r"no model\.keras"):
            models.publish(tmp_path / "empty", "seed-1")
        assert models.list() == {}

    def test_fetching(self, models: Models, made: Path, tmp_path: Path) -> None:
        models.publish(made, "seed-1")
        (models.location("seed-1") / "evaluation/test/metrics.json").write_bytes(b"{}")
        for _ in range(2):
            folder = models.fetch("seed-1", cache=tmp_path / "cache")
            assert (folder / "model.keras").read_bytes() == b"network"
            assert (folder / "params.json").read_bytes() == FILES["params.json"]
        if models.folder.local_path is None:
            assert [folder] == list((tmp_path / "cache").iterdir())
            (made / "model.keras").write_bytes(b"another")
            (models.location("seed-1") / "model.keras").delete()
            models.publish(made, "seed-1")
            newer = models.fetch("seed-1", cache=tmp_path / "cache")
            assert (newer / "model.keras").read_bytes() == b"another"
        with pytest.raises(NotFound, match=r"no model 'other'.*seed-1"):
            models.fetch("other")

    def test_a_download_that_is_cut_off_leaves_nothing(
        self, models: Models, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        models.publish(made, "seed-1")
        if models.folder.local_path is not None:
            pytest.skip("a folder is not copied")
        cache, download = tmp_path / "cache", Bucket.download

        def cut_off(place: Bucket, target: Path) -> None:
            download(place, target)
            if target.name == "model.keras":
                raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(Bucket, "download", cut_off)
            with pytest.raises(KeyboardInterrupt):
                models.fetch("seed-1", cache=cache)
        assert list(cache.iterdir()) == []
        folder = models.fetch("seed-1", cache=cache)
        # half of one, as an earlier version left it
        (folder / "model.keras").unlink()
        (folder / "half").touch()
        assert models.fetch("seed-1", cache=cache) == folder
        assert {path.name for path in folder.iterdir()} == {"seal.json"} | {
            name for name in FILES if "/" not in name
        }


class TestEvaluations:
    @pytest.fixture
    def evaluation(self, tmp_path: Path) -> Path:
        """Make an evaluation's files."""
        folder = tmp_path / "evaluation"
        folder.mkdir()
        (folder / "metrics.json").write_text('{"track_accuracy": 0.5}')
        (folder / "report.html").write_text("<html>")
        return folder

    def test_metrics(self, models: Models, made: Path, evaluation: Path) -> None:
        models.publish(made, "seed-1")
        assert models.metrics("seed-1") is None
        location = models.publish_evaluation(evaluation, "seed-1", split="test")
        assert location.uri.endswith("models/seed-1/evaluation/test")
        assert models.metrics("seed-1") == {"track_accuracy": 0.5}
        assert models.metrics("seed-1", split="validation") is None

    def test_a_text_is_read_as_it_was_published(
        self, models: Models, made: Path, evaluation: Path
    ) -> None:
        models.publish(made, "seed-1")
        assert models.evaluation_text("seed-1", "report.html") is None
        location = models.publish_evaluation(evaluation, "seed-1", split="test")
        assert models.evaluation_text("seed-1", "report.html") == "<html>"
        assert models.evaluation_text("seed-1", "card.md") is None
        (location / "report.html").write_bytes(b"<html >")
        assert models.evaluation_text("seed-1", "report.html") is None

    def test_a_new_one_replaces_the_old(self, models: Models, made: Path, evaluation: Path) -> None:
        models.publish(made, "seed-1")
        models.publish_evaluation(evaluation, "seed-1", split="test")
        (evaluation / "metrics.json").write_text('{"track_accuracy": 0.7}')
        models.publish_evaluation(evaluation, "seed-1", split="test")
        assert models.metrics("seed-1") == {"track_accuracy": 0.7}

    def test_only_of_models_that_are_there(self, models: Models, evaluation: Path) -> None:
        with pytest.raises(NotFound, match="'none'"):
            models.publish_evaluation(evaluation, "none", split="test")


class TestChampion:
    def test_the_first_stays_until_it_is_moved(self, models: Models, made: Path) -> None:
        assert models.champion() is None
        assert models.champion_record() == {}
        assert models.set_champion_if_none("seed-1")
        assert not models.set_champion_if_none("seed-2")
        assert models.champion() == "seed-1"
        models.publish(made, "seed-2")
        models.move_champion("seed-2")
        models.move_champion("seed-2")
        record = models.champion_record()
        assert record["model"] == "seed-2"
        assert [entry["model"] for entry in record["history"]] == ["seed-1", "seed-2"]
        assert record["since"] == record["history"][-1]["since"]

    def test_only_a_model_that_is_there(self, models: Models) -> None:
        with pytest.raises(NotFound, match="'none'"):
            models.move_champion("none")

    def test_of_many_at_once_none_is_forgotten(self, store: Store, made: Path) -> None:
        models = store.models
        names = [f"seed-{number}" for number in range(8)]
        for name in names:
            models.publish(made, name)
        threads = [threading.Thread(target=models.move_champion, args=(name,)) for name in names]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        history = [entry["model"] for entry in models.champion_record()["history"]]
        assert sorted(history) == names
        assert models.champion() == history[-1]

    @pytest.mark.parametrize("text", ["", "[]", "{}"])
    def test_something_else_is_damaged(self, store: Store, text: str) -> None:
        (store.location / "champion.json").write_bytes(text.encode())
        with pytest.raises(Damaged, match="champion"):
            store.models.champion()

    def test_it_is_plain_json(self, store: Store) -> None:
        store.models.set_champion_if_none("seed-1")
        content = json.loads((store.location / "champion.json").read_bytes())
        assert set(content) == {"model", "since", "history", "seal"}
