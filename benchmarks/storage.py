"""The store on S3: ``python -m benchmarks.storage`` (needs SeaweedFS: `make services`).

Five tables, against a SeaweedFS that is started here on the same disk:

    bytes     whole shards of the default preset through `storage`, against the same bytes through
              raw boto3, obstore and plain local files, each way in turn, ratios of the medians
    arrays    the same shards as numbers through `storage`, against zarr over s3fs and over obstore
    features  clips a second of one worker, audio and store in a bucket against both in folders
    requests  what a features run asks for: a track's audio, a shard
    all done  how long it takes, and how many requests, to find that nothing is left to do
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.clips import make_data, make_empty_files, say, workplace, write_tracks_csv
from benchmarks.scale import pretended
from benchmarks.shard_ways import measure_arrays, measure_bytes
from storage.array.inventory import in_parallel
from storage.places.bucket import Bucket
from storage.places.folder import Folder
from storage.places.location import Location
from storage.store import Store
from tests.s3_proxy import Proxy
from tests.seaweedfs import SeaweedFS

SHARDS, CLIPS, TRACKS, ROUNDS = 12, 128, 8_000, 3
BUCKET = "bench"
LIMITS = {
    "ratio": 0.8,
    "features": 0.9,
    "requests_a_track": 1.2,
    "requests_a_shard": 6,
    "done_s": 10,
    "done_requests": 300,
}


def measure_features(server: SeaweedFS, folder: Path, *, clips: int, rounds: int) -> dict[str, Any]:
    """Make features of the same clips in folders and in buckets, in turn; clips a second."""
    make_data(folder / "paced", count=clips)
    options = server.options()
    _upload(folder / "paced", Bucket(BUCKET, "paced", options))
    taken: dict[str, list[float]] = {"folder": [], "s3": []}
    for number in range(-1, rounds):  # the first one imports, and opens connections
        places: dict[str, tuple[Location, Location]] = {
            "folder": (Folder(folder / "paced"), Folder(folder / f"paced-store-{number}")),
            "s3": (Bucket(BUCKET, "paced", options), Bucket(BUCKET, f"p/{number}", options)),
        }
        for name, (data, store) in places.items():
            began = time.perf_counter()
            _run(data, store)
            if number >= 0:
                taken[name].append(time.perf_counter() - began)
    rates = {name: clips / statistics.median(seconds) for name, seconds in taken.items()}
    pairs = zip(taken["folder"], taken["s3"], strict=True)
    return {
        "clips": clips,
        **{f"{name}_clips_a_second": round(rate, 2) for name, rate in rates.items()},
        "ratio": round(statistics.median(local / remote for local, remote in pairs), 3),
    }


def measure_requests(server: SeaweedFS, folder: Path, *, clips: int) -> dict[str, Any]:
    """Make features of clips in a bucket, into a bucket, and count what is asked."""
    make_data(folder / "clips", count=clips)
    _upload(folder / "clips", Bucket(BUCKET, "clips", server.options()))
    with Proxy(server.endpoint_url) as proxy:
        options = server.options() | {"endpoint_url": proxy.endpoint_url}
        shards = _run(Bucket(BUCKET, "clips", options), Bucket(BUCKET, "store", options))
        audio = proxy.of("GET", ".mp3") + proxy.of("HEAD", ".mp3")
        listing = proxy.of("GET", "prefix=clips")
        of_shards = ("/log_mel/c/", "/manifests/")
        writing = [each for each in proxy.asked if any(part in each.path for part in of_shards)]
        everything = len(proxy.asked)
    return {
        "tracks": clips,
        "shards": shards,
        "a_track": round((audio + listing) / clips, 3),
        "a_shard": round(len(writing) / shards, 2),
        "once_a_run": everything - audio - listing - len(writing),
    }


def _run(data: Location, store: Location, *, decode: bool = True) -> int:
    """Do what the flow does, without the flow; return the number of its shards."""
    from genre_model.frontends import preset
    from tasks.catalogue import find_catalogue, store_catalogue
    from tasks.features import feature_extractor, finalise_features, prepare_features
    from tasks.worker.shards import ShardJob, write_shard

    spec = preset("default")
    found = find_catalogue.fn(data)
    root = Store.create(store)
    store_catalogue.fn(root, found)
    what = root.features.claim_name(data_set=found.catalogue.data_set, name=spec.key)
    with root.claim(what):
        work = prepare_features.fn(root, found, spec)
        extractor = feature_extractor(spec) if work.plan.shards and decode else None
        for shard in work.plan.shards:
            if extractor is not None:
                job = ShardJob(
                    features=work.features, data=work.data, work=shard, extractor=extractor
                )
                write_shard(job)
        if not decode:
            in_parallel(
                lambda pair: (work.features.location / pair[0]).write_bytes(pair[1]),
                [
                    pair
                    for shard in work.plan.shards
                    for pair in pretended(work.features.layout, shard).items()
                ],
            )
        finalise_features.fn(work)
    return len(work.plan.shards)


def measure_done(server: SeaweedFS, folder: Path, *, tracks: int) -> dict[str, Any]:
    """Pretend that all is done, and run once more."""
    ids = range(1, tracks + 1)
    make_empty_files(folder / "many", ids, subset="small")
    write_tracks_csv(folder / "many", ids, subset="small", prose="")
    many, store = "many", "done"
    _upload(folder / "many", Bucket(BUCKET, many, server.options()))
    _run(
        Bucket(BUCKET, many, server.options()),
        Bucket(BUCKET, store, server.options()),
        decode=False,
    )
    with Proxy(server.endpoint_url) as proxy:
        options = server.options() | {"endpoint_url": proxy.endpoint_url}
        began = time.monotonic()
        left = _run(Bucket(BUCKET, "many", options), Bucket(BUCKET, "done", options))
        seconds = time.monotonic() - began
        assert left == 0
        return {"tracks": tracks, "seconds": round(seconds, 2), "requests": len(proxy.asked)}


def _upload(folder: Path, target: Bucket) -> None:
    names = [entry.name for entry in Folder(folder).list(recursive=True)]
    in_parallel(lambda name: (target / name).write_bytes((folder / name).read_bytes()), names)


def _print(found: dict[str, Any]) -> None:
    for table in ("bytes", "arrays"):
        first = found[table][0]["by"]
        print(f"{table:16}{'write ms':>10}{'read ms':>10}{f'of {first}: write':>20}{'read':>8}")
        for row in found[table]:
            print(
                f"{row['by']:16}{row['write_ms']:10.1f}{row['read_ms']:10.1f}"
                f"{row['write_ratio']:20.2f}{row['read_ratio']:8.2f}"
            )
        print()
    asked, done, paced = found["requests"], found["done"], found["features"]
    print(
        f"features: {paced['s3_clips_a_second']} clips/s on S3, "
        f"{paced['folder_clips_a_second']} in folders: {paced['ratio']}\n"
        f"requests: {asked['a_track']} a track and {asked['a_shard']} a shard, "
        f"{asked['once_a_run']} more a run ({asked['tracks']} tracks, {asked['shards']} shards)\n"
        f"all done: {done['seconds']} s and {done['requests']} requests for "
        f"{done['tracks']:,} tracks\n\nlimits: {LIMITS}"
    )


@contextmanager
def _server(folder: Path) -> Iterator[SeaweedFS]:
    with SeaweedFS(folder / "seaweedfs") as server:
        server.make_bucket(BUCKET)
        yield server


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shards", type=int, default=SHARDS, help="written and read each way")
    parser.add_argument("--clips", type=int, default=CLIPS, help="whose features are made")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="of features made each way")
    parser.add_argument("--tracks", type=int, default=TRACKS, help="that are all done")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    with workplace() as folder, _server(folder) as server:
        say("bytes")
        rows = measure_bytes(server, BUCKET, folder, shards=options.shards)
        say("arrays")
        arrays = measure_arrays(server, BUCKET, shards=options.shards)
        say("features")
        features = measure_features(server, folder, clips=options.clips, rounds=options.rounds)
        say("requests")
        requests = measure_requests(server, folder, clips=options.clips)
        say("all done")
        done = measure_done(server, folder, tracks=options.tracks)
    found = {
        "bytes": rows,
        "arrays": arrays,
        "features": features,
        "requests": requests,
        "done": done,
        "limits": LIMITS,
    }
    if options.json:
        print(json.dumps(found | {"cores": os.cpu_count()}))
    else:
        _print(found)


if __name__ == "__main__":
    main()
