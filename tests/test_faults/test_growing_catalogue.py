"""Tracks that come, go, change their genre or are unpacked again cost only what is new."""

from __future__ import annotations

import shutil
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from distributed import Client
from fault_data import link_data, track_ids, write_tracks
from fault_engine import Order, build
from fault_genre import Genre
from fault_kills import NOTES
from fault_stores import FeaturesFolder, assert_same_values, files, temporary_files

pytestmark = pytest.mark.faults

ALL = track_ids(384)
FIRST, MORE = ALL[:200], ALL[200:250]


def test_only_what_is_new_is_decoded(
    genre: Genre,
    client: Client,
    scheduler: str,
    data: Path,
    store: Path,
    template: Order,
    tmp_path: Path,
) -> None:
    features = FeaturesFolder(store / template.what)

    def run(folder: Path) -> dict[str, Any]:
        began = time.monotonic()
        told = genre("features", "--data", folder, "--store", store, "--scheduler", scheduler)
        NOTES.append(
            f"incremental: {folder.name}: {told['written']} of {told['tracks']} tracks written, "
            f"{told['seconds']:.1f} s in the flow, {time.monotonic() - began:.1f} s in all"
        )
        return told

    assert run(link_data(data, tmp_path / "first", FIRST))["written"] == 200 - 5

    # 50 tracks more: only they are decoded, into shards of their own.
    before, plans = features.files_of(features.finished), features.plans
    told = run(link_data(data, tmp_path / "more", FIRST + MORE))
    assert (told["written"], told["reused"], told["quarantined"]) == (50, 195, 5)
    assert features.plans[:-1] == plans
    assert before.items() <= files(features.path).items()
    new = features.finished - {int(Path(path).stem) for path in before if "manifests" in path}
    assert new == {4}

    # Fewer tracks, and the rest of another genre and split.
    before = files(features.path)
    fewer = link_data(data, tmp_path / "fewer", ALL[10:240])
    write_tracks(fewer, ALL[10:240], shift=1)
    told = run(fewer)
    assert (told["written"], told["reused"], told["quarantined"]) == (0, 230, 0)
    assert files(features.path) == before

    # The same bytes unpacked again: other inodes and times.
    unpacked = tmp_path / "unpacked"
    shutil.copytree(tmp_path / "more", unpacked, copy_function=shutil.copyfile)
    told = run(unpacked)
    assert (told["written"], told["reused"], told["quarantined"]) == (0, 245, 5)
    kept = {path: each for path, each in files(features.path).items() if "log_mel" in path}
    assert kept.items() <= before.items()
    assert run(unpacked)["written"] == 0

    at_once = replace(template, store=tmp_path / "at-once", wanted=template.wanted[:250])
    build(at_once, client)
    assert_same_values(features, FeaturesFolder(at_once.features))
    assert temporary_files(store) == []
