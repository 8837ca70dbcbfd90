"""Every corruption is found and named, and a repair writes that shard again and no other."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from feature_runs import LAYOUT, Audio, library, open_array, run

from storage.array.feature_array import FeatureArray
from storage.array.layout import manifest_name
from storage.array.manifests import ShardManifest
from storage.array.shards import array_document, row_spans
from storage.array.verification import shards_to_repair, verify
from storage.proof.problems import Problem
from storage.store import Store

TRACKS = 150


@dataclass
class Finished:
    """A finished array in a folder, its audio, and every byte of it."""

    features: FeatureArray
    audio: Audio

    def path(self, name: str) -> Path:
        found = (self.features.location / name).local_path
        assert found is not None
        return found

    def content(self) -> dict[str, bytes]:
        entries = self.features.location.list(recursive=True)
        return {entry.name: self.path(entry.name).read_bytes() for entry in entries}

    def arrays(self) -> dict[str, bytes]:
        return {name: data for name, data in self.content().items() if name.startswith("log_mel")}

    def repair(self, audio: Audio | None = None) -> list[int]:
        """Verify, repair, and list the shards that were written."""
        self.features.begin_repair(shards_to_repair(verify(self.features)))
        made, _ = run(self.features, audio or self.audio)
        return [work.shard for work in made.shards]

    def records(self, shard: int) -> dict[int, tuple[int, str]]:
        manifest = ShardManifest.from_json(self.path(manifest_name(shard)).read_bytes())
        return {record.row: (record.track_id, record.status) for record in manifest.rows}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an array of three shards."""
    path = tmp_path_factory.mktemp("template") / "store"
    run(open_array(Store.create(path)), library(TRACKS))
    return path


@pytest.fixture
def finished(template: Path, tmp_path: Path) -> Finished:
    """Copy the array, with the times of its files."""
    shutil.copytree(template, tmp_path / "store")
    return Finished(open_array(Store.create(tmp_path / "store")), library(TRACKS))


def flip(path: Path, place: int) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(bytes(data))


def lie(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def swap_manifests(finished: Finished) -> None:
    one, other = (finished.path(manifest_name(shard)) for shard in (1, 2))
    one.write_bytes(other.read_bytes())


CORRUPTIONS: dict[str, tuple[Callable[[Finished], object], str]] = {
    "a flipped bit": (lambda f: flip(f.path(LAYOUT.shard_name(1)), 100), "shard bytes"),
    "a flipped bit in the index": (lambda f: flip(f.path(LAYOUT.shard_name(1)), -3), "shard bytes"),
    "a truncated shard": (
        lambda f: f.path(LAYOUT.shard_name(1)).write_bytes(
            f.path(LAYOUT.shard_name(1)).read_bytes()[:500]
        ),
        "shard size",
    ),
    "an empty shard": (lambda f: f.path(LAYOUT.shard_name(1)).write_bytes(b""), "shard size"),
    "a deleted shard": (lambda f: f.path(LAYOUT.shard_name(1)).unlink(), "shard missing"),
    "a deleted manifest": (lambda f: f.path(manifest_name(1)).unlink(), "manifest missing"),
    "a manifest that lies": (
        lambda f: lie(f.path(manifest_name(1)), '"windows": 3', '"windows": 2'),
        "manifest damaged",
    ),
    "a manifest that is cut": (
        lambda f: f.path(manifest_name(1)).write_bytes(b'{"shard": 1'),
        "manifest damaged",
    ),
    "another shard's manifest": (swap_manifests, "manifest damaged"),
    "garbage in its place": (
        lambda f: f.path(LAYOUT.shard_name(1)).write_bytes(b"x" * 10_000),
        "shard size",
    ),
}


@pytest.mark.whole
class TestCorruptions:
    def test_a_sound_store_has_no_problems(self, finished: Finished) -> None:
        assert verify(finished.features) == []
        assert verify(finished.features, level="sizes") == []
        before = finished.features.location.list(recursive=True)
        assert finished.repair() == []
        assert finished.features.location.list(recursive=True) == before

    @pytest.mark.parametrize("name", CORRUPTIONS)
    def test_is_found_named_and_mended(self, finished: Finished, name: str) -> None:
        before = finished.content()
        corrupt, what = CORRUPTIONS[name]
        corrupt(finished)
        problems = verify(finished.features)
        assert [(problem.what, problem.shard) for problem in problems] == [(what, 1)]
        expected = LAYOUT.shard_name(1) if what.startswith("shard") else manifest_name(1)
        assert problems[0].path == str(finished.path(expected))
        assert finished.repair() == [1]
        assert verify(finished.features) == []
        after = finished.content()
        assert list(after) == list(before)
        for entry in before:
            if entry.startswith("log_mel/"):
                assert after[entry] == before[entry]
            elif entry.startswith("manifests/"):
                old, new = (ShardManifest.from_json(each[entry]) for each in (before, after))
                assert old.seal == new.seal

    @pytest.mark.parametrize(
        "name", ["a truncated shard", "a deleted shard", "a deleted manifest", "an empty shard"]
    )
    def test_what_a_listing_shows_is_mended_by_a_plain_run(
        self, finished: Finished, name: str
    ) -> None:
        before = finished.arrays()
        CORRUPTIONS[name][0](finished)
        made, _ = run(finished.features, finished.audio)
        assert [work.shard for work in made.shards] == [1]
        assert finished.arrays() == before

    def test_many_at_once(self, finished: Finished) -> None:
        before = finished.arrays()
        flip(finished.path(LAYOUT.shard_name(0)), 7)
        finished.path(LAYOUT.shard_name(1)).unlink()
        finished.path(manifest_name(2)).unlink()
        found = [(problem.shard, problem.what) for problem in verify(finished.features)]
        assert found == [(0, "shard bytes"), (1, "shard missing"), (2, "manifest missing")]
        assert finished.repair() == [0, 1, 2]
        assert finished.arrays() == before

    def test_only_the_sizes(self, finished: Finished) -> None:
        flip(finished.path(LAYOUT.shard_name(0)), 7)
        finished.path(LAYOUT.shard_name(1)).unlink()
        found = verify(finished.features, level="sizes")
        assert [(problem.shard, problem.what) for problem in found] == [(1, "shard missing")]

    def test_a_table_that_contradicts_the_manifests(self, finished: Finished) -> None:
        rows = finished.features.rows()
        from storage.array.tables import stored
        from storage.tables import write_table

        rows.loc[70, "status"] = "quiet"
        write_table(finished.features.location / "rows.parquet", stored(rows))
        assert [(p.what, p.shard) for p in verify(finished.features)] == [("rows table", 1)]
        assert finished.repair() == []
        assert verify(finished.features) == []
        assert finished.features.rows().loc[70, "status"] == "ok"

    def test_etags_of_an_unpacked_copy_outlive_a_repair(self, finished: Finished) -> None:
        files = {track: file and (file[0], 2) for track, file in finished.audio.files.items()}
        run(finished.features, Audio(files))
        flip(finished.path(LAYOUT.shard_name(1)), 100)
        assert finished.repair(Audio(files)) == [1]
        made, _ = run(finished.features, Audio(files))
        assert (made.shards, len(made.refresh)) == ((), 0)
        before = finished.features.location.list(recursive=True)
        assert finished.repair(Audio(files)) == []
        assert finished.features.location.list(recursive=True) == before

    def test_an_unreadable_table(self, finished: Finished) -> None:
        finished.path("rows.parquet").write_bytes(b"no table")
        assert [problem.what for problem in verify(finished.features)] == ["rows table"]
        run(finished.features, finished.audio)
        assert verify(finished.features) == []

    def test_an_unreadable_plan(self, finished: Finished) -> None:
        finished.path("plans/000000.parquet").write_bytes(b"no plan")
        assert [problem.what for problem in verify(finished.features)] == ["plan damaged"]

    def test_a_lost_plan(self, finished: Finished) -> None:
        run(finished.features, library(TRACKS + 10))
        finished.path("plans/000000.parquet").unlink()
        kinds = {problem.what for problem in verify(finished.features)}
        assert kinds == {"plan missing"}
        assert shards_to_repair(verify(finished.features)) == []

    def test_orphans(self, finished: Finished) -> None:
        orphan = finished.path(LAYOUT.shard_name(9))
        orphan.parent.mkdir(parents=True)
        orphan.write_bytes(b"whose?")
        problem = verify(finished.features)[0]
        assert (problem.what, problem.shard) == ("shard orphaned", 9)
        assert shards_to_repair([problem]) == []

    def test_the_array_is_too_short(self, finished: Finished) -> None:
        finished.path("log_mel/zarr.json").write_bytes(array_document(64, LAYOUT))
        assert {problem.what for problem in verify(finished.features)} == {
            "array metadata",
            "group metadata",
        }

    def test_a_shard_that_was_not_begun_is_no_problem(self, finished: Finished) -> None:
        run(finished.features, library(TRACKS + 100), stop_after=0)
        assert verify(finished.features) == []

    def test_a_problem_is_a_sentence(self) -> None:
        problem = Problem(what="shard size", shard=1, detail="It has 3 bytes.", path="/x")
        assert problem.sentence == "/x: shard size. It has 3 bytes."


class TestSalvage:
    def without(self, *tracks: int) -> Audio:
        audio = library(TRACKS)
        return Audio({**audio.files, **dict.fromkeys(tracks)})

    def damage(self, finished: Finished, *rows: int, shard: int = 1) -> None:
        path = finished.path(LAYOUT.shard_name(shard))
        spans = row_spans(path.read_bytes())
        for row in rows:
            span = spans[row % 64]
            assert span is not None
            flip(path, span[0] + 4)

    def test_rows_whose_audio_has_gone_are_carried_over(self, finished: Finished) -> None:
        before = finished.arrays()
        self.damage(finished, 70)
        assert finished.repair(self.without(71, 72)) == [1]
        assert finished.arrays() == before
        assert verify(finished.features) == []

    def test_rows_that_are_lost_become_absent_and_are_planned_anew(
        self, finished: Finished
    ) -> None:
        self.damage(finished, 70, 71)
        audio = self.without(71, 72)
        assert finished.repair(audio) == [1, 3]
        records = finished.records(1)
        assert records[71] == (-1, "absent")
        assert records[70] == (70, "ok")
        assert records[72] == (72, "ok")
        assert finished.records(3) == {192: (71, "missing")}
        assert verify(finished.features) == []
        assert run(finished.features, audio)[0].shards == ()

    def test_a_truncated_shard_keeps_what_lies_before_the_cut(self, finished: Finished) -> None:
        path = finished.path(LAYOUT.shard_name(1))
        data = path.read_bytes()
        cut = row_spans(data)[32]
        assert cut is not None
        path.write_bytes(data[: cut[0]])
        gone = self.without(*range(64, 128))
        made, _ = run(finished.features, gone)
        assert made.shards[0].shard == 1
        status = {row: found for row, (_, found) in finished.records(1).items()}
        assert {row for row, found in status.items() if found == "ok"} == {
            row for row in range(64, 96) if library(TRACKS).decode(row) is not None
        }
        new = finished.records(3)
        assert {found for _, found in new.values()} == {"missing"}
        lost = [row for row in range(96, 128) if library(TRACKS).decode(row) is not None]
        assert [track for track, _ in new.values()] == lost

    def test_a_chunk_of_another_row_is_not_taken_for_this_one(self, finished: Finished) -> None:
        one, other = (finished.path(LAYOUT.shard_name(shard)) for shard in (1, 0))
        one.write_bytes(other.read_bytes())
        finished.features.begin_repair([1])
        run(finished.features, self.without(*range(64, 128)))
        assert "ok" not in {status for _, status in finished.records(1).values()}

    def test_rows_of_another_catalogue_are_carried_over(self, finished: Finished) -> None:
        before = finished.arrays()
        self.damage(finished, 70)
        assert finished.repair(Audio({70: (1, 1)})) == [1]
        assert finished.arrays() == before

    def test_refused_tracks_keep_their_reason(self, finished: Finished) -> None:
        before = finished.records(1)
        self.damage(finished, 70)
        audio = library(TRACKS)
        files = {track: file or (5, 5) for track, file in audio.files.items()}
        finished.repair(Audio(files))
        assert {row: found for row, found in finished.records(1).items() if found[1] != "ok"} == {
            row: found for row, found in before.items() if found[1] != "ok"
        }

    def test_a_kill_within_a_repair_loses_nothing(self, finished: Finished) -> None:
        before = finished.arrays()
        self.damage(finished, 70)
        audio = self.without(71, 72)
        finished.features.begin_repair([1])
        run(finished.features, audio, stop_after=0)  # killed before the shard
        made, _ = run(finished.features, audio)
        assert [work.shard for work in made.shards] == [1]
        assert finished.arrays() == before

    def test_a_kill_between_the_repaired_shard_and_its_manifest(self, finished: Finished) -> None:
        self.damage(finished, 70, 71)
        audio = self.without(71, 72)
        finished.features.begin_repair([1])
        run(finished.features, audio, stop_after=1)
        finished.path(manifest_name(1)).unlink()
        run(finished.features, audio)
        assert finished.records(1)[71] == (-1, "absent")
        assert finished.records(1)[72] == (72, "ok")
        assert finished.records(3) == {192: (71, "missing")}
        assert verify(finished.features) == []

    def test_records_of_a_lost_manifest_come_from_the_table(self, finished: Finished) -> None:
        before = finished.records(1)
        finished.path(manifest_name(1)).unlink()
        run(finished.features, self.without(*range(64, 128)))
        assert finished.records(1) == before


def test_a_seal_covers_all_but_the_seconds(tmp_path: Path) -> None:
    features = open_array(Store.create(tmp_path / "store"))
    run(features, library(5))
    path = tmp_path / "store/features" / features.key / manifest_name(0)
    text = path.read_text()
    seconds = json.loads(text)["seconds"]
    path.write_text(text.replace(f'"seconds": {seconds}', '"seconds": 0.5'))
    assert verify(features) == []
    path.write_text(path.read_text() + " ")
    assert [problem.what for problem in verify(features)] == ["manifest damaged"]


def test_an_array_whose_audio_was_all_good_is_proven_whole(tmp_path: Path) -> None:
    features = open_array(Store.create(tmp_path / "store"))
    run(features, Audio(dict.fromkeys(range(3), (1, 1))))
    assert verify(features) == []
