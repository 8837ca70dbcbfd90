"""`genre status` tells what is known of fma_small only where a store holds it."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import pandas as pd

from flows.command import render
from flows.results import StatusResult
from genre_model.data.known_defects import fma_small
from storage.array.feature_array import FeatureArray
from storage.array.layout import ArrayLayout, manifest_name
from storage.array.manifests import RowRecord, ShardManifest
from storage.array.plans import AudioState, ShardWork, plan_work
from storage.store import Store
from tasks.known_defects import report_known_defects
from tasks.status import describe_store

NAME = "default-0123abcd"
LAYOUT = ArrayLayout(array="log_mel", dimensions=("window", "band", "frame"), row_shape=(1, 1, 1))
STATUSES = {line.track_id: line.statuses[0] for line in fma_small().defects}
IDS = sorted({*range(7_991), *STATUSES})
TWINS = {77: 7, 500: 50}


def write_rows(store: Store, data_set: str, ids: list[int]) -> None:
    """Write what listings and tables see of a finished array."""
    features = store.features.create(
        data_set=data_set, name=NAME, layout=LAYOUT, attributes={"preset": "default"}
    )
    wanted = [AudioState(track, f"fma_small/{track:06d}.mp3", 1_000, "1") for track in ids]
    plan = plan_work(features.inventory().known, wanted, hashes={})
    features.prepare(plan)
    for work in plan.shards:
        write_shard(features, work)
    features.finalise(plan.required)


def write_shard(features: FeatureArray, work: ShardWork) -> None:
    """Write a shard of one byte, and a manifest in which the listed tracks have their statuses."""
    folder = features.location.local_path
    assert folder is not None
    records = []
    for row, state in work.rows:
        status = STATUSES.get(state.track_id, "ok")
        kept = status in ("ok", "quiet")
        records.append(
            RowRecord(
                row=row,
                track_id=state.track_id,
                path=state.path,
                size=state.size,
                etag=state.etag,
                sha256=f"{state.track_id:064x}",
                status=status,
                windows=1 if kept else 0,
                stored=9 if kept else 0,
                checksum=f"{TWINS.get(state.track_id, state.track_id):08x}" if kept else "",
            )
        )
    manifest = ShardManifest(shard=work.shard, rows=tuple(records), size=1, sha256="0" * 64)
    for name, content in (
        (LAYOUT.shard_name(work.shard), b"-"),
        (manifest_name(work.shard), manifest.to_json()),
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def status(store: Store) -> str:
    """Write what `genre status` writes."""
    result = StatusResult(status=describe_store(store))
    json.dumps(result.to_dict())
    text = io.StringIO()
    render.status(result, text)
    return text.getvalue()


def catalogue(store: Store, name: str, ids: list[int]) -> None:
    frame = pd.DataFrame({"track_id": ids, "genre": "Rock", "subset": "small"})
    store.catalogues.write(name, frame, attributes={"data_set": name.rpartition("-")[0]})


def test_an_array_of_fma_small_is_compared(tmp_path: Path) -> None:
    store = Store.create(tmp_path)
    catalogue(store, "fma-01234567", IDS)
    # A later catalogue of fewer tracks does not hide the first.
    catalogue(store, "fma-12345678", IDS[:9])
    write_rows(store, "fma", IDS)
    told = status(store)
    assert told.count("fma_small: 9 tracks with a defect are known, 9 were found; 12 pairs") == 1
    assert "12 pairs of identical audio are known, 2 were found (0 of identical files)" in told
    assert "identical: 7 and 77, 50 and 500\n" in told
    assert "differs: 2 pairs of tracks have identical windows" in told
    report = report_known_defects(store, store.features.open(data_set="fma", name=NAME))
    assert report is not None
    assert set(report.to_dict()) == {
        "of",
        "tracks",
        "expected",
        "found",
        "identical",
        "differences",
    }
    assert report.tracks == len(IDS)
    (tmp_path / "catalogues" / "fma-12345678.parquet").write_bytes(b"damaged")
    assert "fma_small: 9 tracks" in status(store)
    array = store.features.open(data_set="fma", name=NAME)
    assert report_known_defects(store, replace(array, data_set="demo")) is None


def test_a_few_tracks_are_not_fma_small(tmp_path: Path) -> None:
    store = Store.create(tmp_path)
    catalogue(store, "fma-01234567", IDS[-20:])
    write_rows(store, "fma", IDS[-20:])
    assert "are known" not in status(store)
    assert "near-silent" not in status(store)


def test_an_array_of_another_version_is_a_line_and_a_problem(tmp_path: Path) -> None:
    store = Store.create(tmp_path)
    catalogue(store, "fma-01234567", IDS[-20:])
    write_rows(store, "fma", IDS[-20:])
    write_rows(store, "other", IDS[-20:])
    description = tmp_path / "features" / "other" / NAME / "zarr.json"
    group = json.loads(description.read_text())
    del group["attributes"]["array"]
    description.write_text(json.dumps(group))
    told = status(store)
    assert f"features    fma/{NAME}: 1 shards" in told
    assert f"unreadable  other/{NAME}: {description} does not say what its array is" in told
    assert describe_store(store).problems is None
    problems = dict(describe_store(store, verify=True).problems or ())
    problem = problems[f"other/{NAME}"]
    assert (problem.what, problem.path) == ("group metadata", str(description))
    assert "as another version wrote it" in problem.detail
