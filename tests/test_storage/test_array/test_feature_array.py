"""create → write shard → finalise, on a folder and on S3; a rerun does only what is missing."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import zarr
from feature_runs import (
    LAYOUT,
    NAME,
    ROW_SHAPE,
    Audio,
    build,
    library,
    open_array,
    plan,
    run,
    write,
)

from storage.array.feature_array import FeatureArray
from storage.array.layout import manifest_name
from storage.array.manifests import RowRecord, ShardManifest
from storage.array.plans import ShardWork
from storage.array.tables import ROW_COLUMNS, read_known_table, read_table
from storage.errors import Damaged, Incomplete, MisalignedWrite, Mismatched, NotFound
from storage.places.folder import Folder
from storage.places.location import Location
from storage.store import Store


@pytest.fixture
def features(place: Location) -> FeatureArray:
    """Make an empty array, on a folder and on S3."""
    return open_array(Store.create(place))


@pytest.fixture
def on_disk(tmp_path: Path) -> FeatureArray:
    """Make an empty array in a folder."""
    return open_array(Store.create(tmp_path / "store"))


def content(features: FeatureArray) -> dict[str, bytes]:
    """Read everything that must not differ between runs."""
    entries = features.location.list(recursive=True)
    return {entry.name: (features.location / entry.name).read_bytes() for entry in entries}


def arrays(features: FeatureArray) -> dict[str, bytes]:
    """Read the array's objects and metadata."""
    return {name: data for name, data in content(features).items() if name.startswith("log_mel/")}


class TestRuns:
    def test_everything_is_read_as_it_was_decoded(self, features: FeatureArray) -> None:
        audio = library(150)
        made, finalised = run(features, audio)
        assert finalised is not None
        assert len(made.shards) == 3
        rows = finalised.rows.set_index("track_id")
        for shard in range(3):
            block = features.read_shard(shard)
            for track in range(64 * shard, min(64 * shard + 64, 150)):
                values = audio.decode(track)
                expected = np.zeros(ROW_SHAPE) if values is None else values
                np.testing.assert_array_equal(block[track % 64], expected)
                assert rows.loc[track, "windows"] == (0 if values is None else ROW_SHAPE[0])
        assert not features.read_shard(2)[150 - 128 :].any()

    def test_the_tables_say_what_became_of_every_track(self, features: FeatureArray) -> None:
        run(features, library(150))
        rows = read_known_table(features.location / "rows.parquet", ROW_COLUMNS)
        assert rows["row"].tolist() == list(range(150))
        counts = rows["status"].value_counts().to_dict()
        ledger = read_table(features.location / "quarantine.parquet")
        assert counts["ok"] + len(ledger) == 150
        assert set(ledger["reason"]) == {"missing", "undecodable"}
        assert ledger["decoder"].unique().tolist() == ["made up 1.0"]
        assert ledger.loc[ledger["reason"] == "missing", "size"].isna().all()
        assert (ledger.loc[ledger["reason"] == "undecodable", "sha256"].str.len() == 64).all()

    def test_a_second_run_touches_nothing(self, features: FeatureArray) -> None:
        audio = library(100)
        run(features, audio)
        before = {entry.name: entry for entry in features.location.list(recursive=True)}
        made, _ = run(features, audio)
        assert made.shards == ()
        assert len(made.reused) == 100
        assert before == {entry.name: entry for entry in features.location.list(recursive=True)}

    @pytest.mark.parametrize("stop_after", [0, 1, 2])
    def test_a_run_that_ended_early_is_completed(
        self, features: FeatureArray, tmp_path: Path, stop_after: int
    ) -> None:
        audio = library(150)
        run(features, audio, stop_after=stop_after)
        again, _ = run(features, audio)
        assert [work.shard for work in again.shards] == list(range(stop_after, 3))
        assert again.new_rows.empty
        undisturbed = open_array(Store.create(tmp_path / "undisturbed"))
        run(undisturbed, audio)
        assert arrays(features) == arrays(undisturbed)
        for shard in range(3):
            name = manifest_name(shard)
            one, other = (
                ShardManifest.from_json((found.location / name).read_bytes())
                for found in (features, undisturbed)
            )
            assert one.seal == other.seal

    def test_an_addition_touches_no_other_byte(self, features: FeatureArray) -> None:
        run(features, library(100))
        before = arrays(features)
        made, _ = run(features, library(120))
        assert [work.shard for work in made.shards] == [2]
        after = arrays(features)
        assert {name: after[name] for name in before if "/c/" in name} == {
            name: data for name, data in before.items() if "/c/" in name
        }

    def test_two_catalogues_share_an_array(self, on_disk: FeatureArray) -> None:
        run(on_disk, library(100), stop_after=0)
        made, _ = run(on_disk, library(100, first=50))
        assert [work.shard for work in made.shards] == [0, 1, 2]
        assert made.shards[0].absent == tuple(range(50))
        final, finalised = run(on_disk, library(150))
        assert finalised is not None
        assert sorted(final.current["track_id"]) == list(range(150))
        assert [work.shard for work in final.shards] == [3]
        absent = finalised.rows[finalised.rows["status"] == "absent"]
        assert absent["row"].tolist() == list(range(50))
        assert set(absent["track_id"]) == {-1}

    def test_an_unpacked_copy_is_hashed_once(self, on_disk: FeatureArray) -> None:
        audio = library(100)
        run(on_disk, audio)
        copy = Audio({track: file and (file[0], 2) for track, file in audio.files.items()})
        made, finalised = run(on_disk, copy)
        assert (made.shards, len(made.refresh)) == ((), sum(map(bool, copy.files.values())))
        assert finalised is not None
        assert set(finalised.rows["etag"]) == {"", "2"}
        again = plan(on_disk, copy)
        assert (again.shards, len(again.refresh)) == ((), 0)

    def test_refused_tracks_are_tried_again_when_asked(self, on_disk: FeatureArray) -> None:
        audio = library(50)
        run(on_disk, audio)
        bad = [track for track, file in audio.files.items() if file and file[0] == 0]
        made, finalised = run(on_disk, audio, retry=True)
        assert [audio.track_id for _, audio in made.shards[0].rows] == bad
        assert finalised is not None
        assert len(finalised.quarantine) == sum(
            not file or file[0] == 0 for file in audio.files.values()
        )

    def test_a_shard_without_any_audio_has_no_object(self, features: FeatureArray) -> None:
        nothing = Audio(dict.fromkeys(range(10)))
        run(features, nothing)
        assert not (features.location / LAYOUT.shard_name(0)).exists()
        assert not features.read_shard(0).any()
        made, _ = run(features, nothing)
        assert made.shards == ()

    def test_nothing_wanted(self, on_disk: FeatureArray) -> None:
        made, finalised = run(on_disk, Audio())
        assert finalised is not None
        assert (made.shards, len(finalised.rows)) == ((), 0)

    def test_plain_zarr_reads_it(self, on_disk: FeatureArray) -> None:
        audio = library(100)
        run(on_disk, audio)
        array = zarr.open_array(str(on_disk.location / "log_mel"), mode="r")
        assert array.shape == (128, *ROW_SHAPE)
        np.testing.assert_array_equal(array[3], audio.decode(3))

    def test_it_travels_to_workers(self, features: FeatureArray) -> None:
        made = plan(features, library(10))
        features.prepare(made)
        copy, work = pickle.loads(pickle.dumps((features, made.shards[0])))
        write(copy, work, library(10))
        assert features.finished(made.shards[0]) is not None


class TestFinalise:
    def test_it_refuses_with_the_list(self, on_disk: FeatureArray) -> None:
        made, _ = run(on_disk, library(150), stop_after=1)
        with pytest.raises(Incomplete, match="2 of 3 shards") as caught:
            on_disk.finalise(made.required)
        assert caught.value.missing == (1, 2)
        assert pickle.loads(pickle.dumps(caught.value)).missing == (1, 2)
        assert not (on_disk.location / "rows.parquet").exists()

    def test_shards_that_nobody_wants_do_not_hinder_it(self, on_disk: FeatureArray) -> None:
        run(on_disk, library(100), stop_after=0)
        _, finalised = run(on_disk, library(10, first=500))
        assert finalised is not None
        assert finalised.rows["row"].tolist() == list(range(128, 138))
        with pytest.raises(Incomplete):
            on_disk.finalise()

    def test_a_table_that_was_lost_is_made_again(self, on_disk: FeatureArray) -> None:
        audio = library(100)
        _, first = run(on_disk, audio)
        assert first is not None
        for name in ("rows.parquet", "quarantine.parquet"):
            (on_disk.location / name).write_bytes(b"no table")
            (on_disk.location / "quarantine.parquet").delete()
            made, second = run(on_disk, audio)
            assert made.shards == ()
            assert second is not None
            assert second.rows.equals(first.rows)

    def test_all_done_is_seen_without_reading_a_manifest(
        self, on_disk: FeatureArray, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        audio = library(150)
        run(on_disk, audio)

        def refuse(*_: object) -> None:
            raise AssertionError("a manifest was read")

        monkeypatch.setattr("storage.array.inventory.read_manifest", refuse)
        assert run(on_disk, audio)[0].shards == ()


class TestOneWriterWhole:
    @pytest.fixture
    def work(self, on_disk: FeatureArray) -> ShardWork:
        """Plan one shard of ten tracks."""
        made = plan(on_disk, library(10))
        on_disk.prepare(made)
        return made.shards[0]

    def test_part_of_a_shard(self, on_disk: FeatureArray, work: ShardWork) -> None:
        data, records = build(work, library(10))
        with pytest.raises(MisalignedWrite, match="write it whole"):
            on_disk.write_shard(work, data[:10], records)

    def test_rows_without_a_record(self, on_disk: FeatureArray, work: ShardWork) -> None:
        data, records = build(work, library(10))
        with pytest.raises(MisalignedWrite, match="a record for each"):
            on_disk.write_shard(work, data, records[1:])

    def test_values_where_no_track_is(self, on_disk: FeatureArray, work: ShardWork) -> None:
        data, records = build(work, library(10))
        data[40] = 1
        with pytest.raises(MisalignedWrite, match="place 40"):
            on_disk.write_shard(work, data, records)

    def test_rows_of_another_shard(self, on_disk: FeatureArray, work: ShardWork) -> None:
        data, records = build(work, library(10))
        elsewhere = ShardWork(shard=1, rows=work.rows)
        with pytest.raises(MisalignedWrite, match="does not hold row 0"):
            on_disk.write_shard(elsewhere, data, records)

    def test_a_track_of_another_row(self, on_disk: FeatureArray, work: ShardWork) -> None:
        data, records = build(work, library(10))
        swapped = [
            RowRecord(**{**vars(record), "track_id": 9 - record.track_id}) for record in records
        ]
        with pytest.raises(MisalignedWrite):
            on_disk.write_shard(work, data, swapped)
        assert not (on_disk.location / LAYOUT.shard_name(0)).exists()
        assert on_disk.finished(work) is None

    def test_finished_work_is_known(self, on_disk: FeatureArray, work: ShardWork) -> None:
        assert on_disk.finished(work) is None
        manifest = write(on_disk, work, library(10))
        assert on_disk.finished(work) == manifest
        shard = on_disk.location / LAYOUT.shard_name(0)
        shard.write_bytes(shard.read_bytes()[:-1])
        assert on_disk.finished(work) is None

    def test_a_manifest_of_other_rows_or_tracks_does_not_count(
        self, on_disk: FeatureArray, work: ShardWork
    ) -> None:
        manifest = write(on_disk, work, library(10))
        others = [replace(manifest.rows[0], track_id=77), *manifest.rows[1:]]
        for rows in (manifest.rows[:-1], tuple(others)):
            forged = replace(manifest, rows=rows)
            (on_disk.location / manifest_name(0)).write_bytes(forged.to_json())
            assert on_disk.finished(work) is None
            assert 0 not in on_disk.inventory().done

    def test_the_shard_is_written_before_its_manifest(
        self, on_disk: FeatureArray, work: ShardWork, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        written: list[str] = []
        real = Folder.write_bytes

        def watch(self: Folder, data: bytes) -> None:
            written.append(self.uri.removeprefix(f"{on_disk.location.uri}/"))
            real(self, data)

        monkeypatch.setattr(Folder, "write_bytes", watch)
        write(on_disk, work, library(10))
        assert written == [LAYOUT.shard_name(0), manifest_name(0)]

    def test_a_kill_between_the_two_leaves_the_shard_to_be_written_again(
        self, on_disk: FeatureArray, work: ShardWork, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real = Folder.write_bytes

        def die(self: Folder, data: bytes) -> None:
            real(self, data)
            raise KeyboardInterrupt

        monkeypatch.setattr(Folder, "write_bytes", die)
        with pytest.raises(KeyboardInterrupt):
            write(on_disk, work, library(10))
        assert (on_disk.location / LAYOUT.shard_name(0)).exists()
        assert on_disk.finished(work) is None
        assert on_disk.inventory().done == frozenset()


class TestFolders:
    def test_another_spec_under_the_same_name_is_refused(self, on_disk: FeatureArray) -> None:
        store = Store.open(on_disk.location.uri.partition("/features/")[0])
        with pytest.raises(Mismatched, match="another spec"):
            store.features.create(data_set="fma", name=NAME, layout=LAYOUT, attributes={"spec": 2})
        assert store.features.open(data_set="fma", name=NAME) == on_disk
        assert on_disk.attributes["spec"] == {"n_fft": 1024}
        assert on_disk.key == f"fma/{NAME}"

    def test_nothing_there(self, store: Store) -> None:
        with pytest.raises(NotFound, match="no features"):
            store.features.open(data_set="fma", name=NAME)

    def test_two_runs_cannot_store_the_same_plan(self, on_disk: FeatureArray) -> None:
        one, other = plan(on_disk, library(10)), plan(on_disk, library(20))
        on_disk.prepare(one)
        with pytest.raises(Mismatched, match="plan again"):
            on_disk.prepare(other)

    def test_a_kill_while_growing_is_mended(self, on_disk: FeatureArray) -> None:
        made = plan(on_disk, library(100))
        old = (on_disk.location / "zarr.json").read_bytes()
        on_disk.prepare(made)
        new = (on_disk.location / "zarr.json").read_bytes()
        (on_disk.location / "zarr.json").write_bytes(old)
        run(on_disk, library(100))
        assert (on_disk.location / "zarr.json").read_bytes() == new

    def test_a_lost_shard_is_not_read_as_silence(self, on_disk: FeatureArray) -> None:
        run(on_disk, library(10))
        (on_disk.location / LAYOUT.shard_name(0)).delete()
        with pytest.raises(Damaged, match="--verify"):
            on_disk.read_shard(0)

    def test_an_unreadable_plan_stops_everything(self, on_disk: FeatureArray) -> None:
        run(on_disk, library(10))
        (on_disk.location / "plans/000000.parquet").write_bytes(b"no plan")
        with pytest.raises(Damaged, match="plans/000000"):
            plan(on_disk, library(10))
