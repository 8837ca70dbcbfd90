"""Catalogue and plan of all of FMA: ``python -m benchmarks.scale``.

A tracks.csv of 106,574 rows, as large as FMA's own, of which every other has no top genre but
sub-genres that it is derived from; and an (empty) file for every track. Every step is a process of
its own, which says its time without imports and its peak memory with them:

    fresh    catalogue and plan in a fresh store
    planned  the same again, when all is planned and nothing done; then rows.parquet from a
             manifest for every shard (made up: no audio is decoded)
    done     catalogue and plan, when all is done
    grown    catalogue and plan, when 50 tracks were added
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.clips import make_empty_files, say, workplace, write_tracks_csv

if TYPE_CHECKING:
    from storage.array.feature_array import FeatureArray
    from storage.array.layout import ArrayLayout
    from storage.array.plans import ShardWork
    from tasks.catalogue import FoundCatalogue
    from tasks.features import FeatureWork

TRACKS = 106_574
ADDED = 50
SUBSET = "large"
LIMIT_S, LIMIT_MB = 15.0, 1_000
STEPS = ("fresh", "planned", "done", "grown")
# FMA's tracks.csv has some 2,400 bytes a line, most of it biographies.
_PROSE = 'Words, "quoted", <p>marked up</p>\nand broken. ' * 25


def step(name: str, data: Path, store: Path) -> dict[str, object]:
    """Do one step in this process and return its figures."""
    from flows.command import environment

    environment.prepare()
    import tasks.catalogue
    import tasks.features

    del tasks
    imported_mb = _peak_mb()
    began = time.monotonic()
    found = _find(data, store)
    catalogued = time.monotonic()
    work = _work(found, store)
    planned = time.monotonic()
    return {
        "step": name,
        "seconds": round(planned - began, 2),
        "catalogue_s": round(catalogued - began, 2),
        "plan_s": round(planned - catalogued, 2),
        "tables_s": _tables_s(work) if name == "planned" else 0.0,
        "shards": len(work.plan.shards),
        "rows": work.tracks,
        "imported_mb": imported_mb,
        "peak_mb": _peak_mb(),
    }


def measure(folder: Path, *, tracks: int) -> list[dict[str, object]]:
    """Do all steps, each in a process of its own, and return their figures."""
    data, store = folder / "data", folder / "store"
    say(f"making tracks.csv and files of {tracks:,} tracks")
    _add_tracks(data, 1, tracks)
    rows = []
    for name in STEPS:
        if name == "grown":
            _add_tracks(data, tracks + 1, tracks + ADDED)
        say(name)
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.scale", "--step", name, str(data), str(store)],
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        rows.append(json.loads(done.stdout))
    return rows


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tracks", type=int, default=TRACKS, help="rows of tracks.csv")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--step", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        name, data, store = options.step
        print(json.dumps(step(name, Path(data), Path(store))))
        return
    with workplace() as folder:
        rows = measure(folder, tracks=options.tracks)
        megabytes = (folder / "data" / "fma_metadata" / "tracks.csv").stat().st_size / 1e6
        say("clearing up")
    if options.json:
        facts = {"tracks": options.tracks, "tracks_csv_mb": round(megabytes, 1)}
        limits = {"limit_s": LIMIT_S, "limit_mb": LIMIT_MB, "cores": os.cpu_count()}
        print(json.dumps({**facts, **limits, "scale": rows}))
        return
    print(f"tracks.csv of {options.tracks:,} rows and {megabytes:.0f} MB; {os.cpu_count()} cores\n")
    names = ("seconds", "catalogue", "plan", "tables", "shards", "rows", "peak MB")
    print(f"{'':10}" + "".join(f"{name:>10}" for name in names))
    for row in rows:
        print(
            f"{row['step']:10}{row['seconds']:10.1f}{row['catalogue_s']:10.1f}{row['plan_s']:10.1f}"
            f"{row['tables_s']:10.1f}{row['shards']:10,}{row['rows']:10,}{row['peak_mb']:10.0f}"
        )
    print(f"\nlimits: {LIMIT_S:.0f} s, {LIMIT_MB:,} MB; of it {rows[0]['imported_mb']} MB imports")


def _tables_s(work: FeatureWork) -> float:
    """Pretend that every shard is done, gather the tables, and return how long that took [s]."""
    for shard in work.plan.shards:
        pretend(work.features, shard)
    began = time.monotonic()
    work.features.finalise(work.plan.required)
    return round(time.monotonic() - began, 2)


def _find(data: Path, store: Path) -> FoundCatalogue:
    from genre_model.data.folder import CatalogueOptions
    from storage.places.address import parse_location
    from storage.store import Store
    from tasks.catalogue import find_catalogue, store_catalogue

    found = find_catalogue.fn(parse_location(data), options=CatalogueOptions(subset=SUBSET))
    store_catalogue.fn(Store.create(store), found)
    return found


def _work(found: FoundCatalogue, store: Path) -> FeatureWork:
    from genre_model.frontends import preset
    from storage.store import Store
    from tasks.features import prepare_features

    return prepare_features.fn(Store.open(store), found, preset("default"))


def pretend(features: FeatureArray, work: ShardWork) -> None:
    """Write what a listing and the tables see of a finished shard: a manifest and an object.

    Parameters
    ----------
    features : FeatureArray
    work : ShardWork
        Of its tracks all windows are said to be there.
    """
    for name, content in pretended(features.layout, work).items():
        path = (features.location / name).local_path
        assert path is not None
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def pretended(layout: ArrayLayout, work: ShardWork) -> dict[str, bytes]:
    """Make what a listing and the tables see of a finished shard: an object and a manifest."""
    from storage.array.layout import manifest_name
    from storage.array.manifests import RowRecord, ShardManifest

    records = tuple(
        RowRecord(
            row=row,
            track_id=state.track_id,
            path=state.path,
            size=state.size,
            etag=state.etag,
            sha256=f"{row:064x}",
            status="ok",
            windows=10,
            duration_s=30.0,
            stored=1,
            checksum=f"{row:08x}",
        )
        for row, state in work.rows
    )
    manifest = ShardManifest(shard=work.shard, rows=records, size=1, sha256="0" * 64)
    return {layout.shard_name(work.shard): b"-", manifest_name(work.shard): manifest.to_json()}


def _add_tracks(data: Path, first: int, last: int) -> None:
    """Make the files of some tracks, and a tracks.csv of all up to the last."""
    make_empty_files(data, range(first, last + 1), subset=SUBSET)
    write_tracks_csv(data, range(1, last + 1), subset=SUBSET, prose=_PROSE, without_top=2)


def _peak_mb() -> float:
    """Return this process's peak resident memory [MB]; Linux counts it in KiB."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1_024 / 1e6, 1)


if __name__ == "__main__":
    main()
