"""The flow `build-features`: catalogue → plan → shards on Dask → tables."""

from __future__ import annotations

import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Literal

from distributed import Client
from prefect import flow
from prefect.events import emit_event
from prefect.futures import PrefectFuture

from flows import artifacts, progress
from flows.bounded import run_bounded
from flows.cluster import dask_client
from flows.data import data_location
from genre_model.specs import FeatureSpec
from storage.claims import Claim
from storage.layout import create_store
from storage.locations import Location
from storage.plans import ShardWork
from tasks.build_shard import build_shard
from tasks.catalogue import find_catalogue, store_catalogue
from tasks.features import (
    FeatureWork,
    count_features,
    feature_extractor,
    finalise_features,
    prepare_features,
)
from tasks.opaque import opaque
from tasks.shards import ShardJob, ShardOutcome

IN_FLIGHT_A_WORKER = 2
READY_EVENT = "genre.features.ready"


@flow(name="build-features", flow_run_name="features-{preset}")
def build_features(
    data: str = "demo",
    store: str = "./genre-store",
    subset: Literal["small", "medium", "large", "full"] | None = None,
    preset: Literal["default", "seed"] = "default",
    workers: int | None = None,
    scheduler: str | None = None,
    refresh: bool = False,
    verify: bool = False,
    retry_quarantined: bool = False,
) -> dict[str, Any]:
    """Write the log-mel windows of a catalogue's tracks that the store does not hold yet.

    Parameters
    ----------
    data : str
        Folder of FMA's layout, or `demo` for the built-in data set.
    store : str
        Folder or s3:// address that results are kept in.
    subset : str, optional
        Tracks to take; by default the largest subset whose folder lies in `data`.
    preset : str
        Feature preset.
    workers : int, optional
        Local Dask workers; one a core by default.
    scheduler : str, optional
        Address of a Dask scheduler to join instead.
    refresh : bool
        Write all of the catalogue's shards again.
    verify : bool
        Read all bytes first, and write again what is damaged.
    retry_quarantined : bool
        Decode refused tracks once more.

    Returns
    -------
    dict
        The JSON object of `genre features`.
    """
    began = time.monotonic()
    spec = FeatureSpec.preset(preset)
    location = data_location(data, workers=workers, scheduler=scheduler)
    found = find_catalogue(location, subset=subset)
    root = create_store(store)
    catalogue_id = store_catalogue(root, opaque(found))
    artifacts.catalogue(found.summary())
    what = f"features/{found.catalogue.data_set}/{spec.key}"
    with Claim(root, what, say=progress.say) as claim:
        work = prepare_features(
            root,
            opaque(found),
            spec,
            refresh=refresh,
            check_bytes=verify,
            retry_quarantined=retry_quarantined,
        )
        used = _build_shards(work, workers=workers, scheduler=scheduler)
        claim.check()
        finalised = finalise_features(opaque(work))
    counts = count_features(work, found, finalised.rows)
    result = {
        **counts,
        "catalogue": catalogue_id,
        "data": found.data.uri,
        "seconds": round(time.monotonic() - began, 3),
    }
    artifacts.throughput(result, workers=used)
    _publish_quarantine(work, finalised.quarantine)
    _announce(root, result)
    return result


def _build_shards(work: FeatureWork, *, workers: int | None, scheduler: str | None) -> int:
    """Write the plan's shards on Dask, a bounded number at a time; return how many workers did."""
    if not work.plan.shards:
        return 0
    extractor = feature_extractor(work.spec)
    topic = f"genre-progress-{uuid.uuid4().hex[:8]}"

    def submit(shard: ShardWork) -> PrefectFuture[ShardOutcome]:
        job = ShardJob(
            features=work.features,
            data=work.data,
            work=shard,
            extractor=extractor,
            topic=topic,
        )
        return build_shard.submit(shard.shard, opaque(job))

    with dask_client(workers=workers, scheduler=scheduler) as client:
        count = max(1, len(client.nthreads()))
        with _shown_progress(client, work.tracks, topic) as note:
            run_bounded(
                submit,
                work.plan.shards,
                limit=IN_FLIGHT_A_WORKER * count,
                on_done=lambda shard: note(shard.shard, len(shard.rows)),
            )
    return count


@contextmanager
def _shown_progress(client: Client, total: int, topic: str) -> Iterator[Callable[[int, int], None]]:
    """Show tracks as workers report them; yield what takes note of a shard's finished tracks."""
    done: dict[int, int] = {}
    one_at_a_time = threading.Lock()
    with ExitStack() as stack:
        show = stack.enter_context(progress.stage("features", total=total, unit="tracks"))
        bar = stack.enter_context(
            artifacts.ProgressArtifact(total=total, description="Tracks decoded")
        )

        def note(shard: int, tracks: int) -> None:
            with one_at_a_time:
                done[shard] = max(tracks, done.get(shard, 0))
                so_far = sum(done.values())
                show(so_far, "")
                bar.show(so_far)

        client.subscribe_topic(topic, lambda event: note(event[1]["shard"], event[1]["done"]))
        try:
            yield note
        finally:
            client.unsubscribe_topic(topic)


def _publish_quarantine(work: FeatureWork, quarantine: Any) -> None:
    here = quarantine[quarantine["track_id"].isin(work.plan.current["track_id"])]
    shown = here[["track_id", "reason", "detail", "size", "sha256", "decoder"]]
    artifacts.quarantine(shown.to_dict(orient="records"), total=len(here))


def _announce(store: Location, result: dict[str, Any]) -> None:
    emit_event(
        READY_EVENT,
        resource={
            "prefect.resource.id": f"genre.features.{result['key']}",
            "prefect.resource.name": result["key"],
        },
        payload={
            "store": store.uri,
            "key": result["key"],
            "catalogue": result["catalogue"],
            "written": result["written"],
        },
    )


if __name__ == "__main__":
    from flows.cli import main

    main(["features", *sys.argv[1:]])
