"""The flow `build-features`: catalogue → plan → shards on Dask → tables."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import AbstractContextManager
from dataclasses import dataclass

import pandas as pd
from prefect import flow, get_run_logger
from prefect.futures import PrefectFuture
from prefect.runtime import flow_run

from flows.dashboard import artifacts, events
from flows.dashboard.blocks import storage_options
from flows.data_options import MIN_TRACKS, GenreMapFile, LayoutName, MinTracks, SplitBy
from flows.engine import progress, worker_progress
from flows.engine.addresses import data_location, store_address
from flows.engine.bounded import run_bounded
from flows.engine.cluster import check_cluster, dask_crew
from flows.engine.crew.crew import Crew
from flows.engine.crew.requirements import sees
from flows.engine.quarantine_limit import check_quarantine
from flows.engine.quoting import quoted
from flows.engine.shared_folders import require_folder, sample_of
from flows.errors import TooManyQuarantined
from flows.options import (
    DATA,
    MAX_QUARANTINED,
    PRESET,
    STORE,
    Data,
    MaxQuarantined,
    Preset,
    Refresh,
    RetryQuarantined,
    Scheduler,
    StorageBlock,
    StoreAddress,
    Subset,
    Verify,
    Workers,
)
from flows.results import FeaturesResult
from genre_model.printable import printable_name
from storage.array.plans import ShardWork
from storage.places.address import parse_location, resolve
from storage.places.location import Location
from storage.store import DESCRIPTION, Store
from tasks.backbones.presets import preset_at
from tasks.build_shard import build_shard, may_pass
from tasks.catalogue import FoundCatalogue, find_catalogue, store_catalogue
from tasks.catalogue_page import describe_catalogue
from tasks.features import (
    FeatureWork,
    check_array,
    count_features,
    feature_extractor,
    finalise_features,
    prepare_features,
)
from tasks.finding.asked_tracks import asked_tracks, catalogue_options
from tasks.worker.shards import ShardJob, ShardOutcome, write_shard

IN_FLIGHT_A_WORKER = 2


@dataclass(frozen=True, kw_only=True)
class Built:
    """How the shards of one run were made.

    Attributes
    ----------
    outcomes : tuple[ShardOutcome, ...]
        One a shard, in the order of the plan.
    workers : int
        How many Dask workers there were.
    seconds : float
        From the first submission to the last manifest.
    """

    outcomes: tuple[ShardOutcome, ...] = ()
    workers: int = 0
    seconds: float = 0.0

    @property
    def worker_seconds(self) -> float:
        """The workers' own time, summed over the shards."""
        return sum(outcome.seconds for outcome in self.outcomes)


def _run_name() -> str:
    given = flow_run.parameters
    return printable_name(f"features of {given['data']}, {given['preset']}")


@flow(name="build-features", flow_run_name=_run_name)
def build_features(
    data: Data = DATA.default,
    store: StoreAddress = STORE.default,
    subset: Subset = None,
    layout: LayoutName = None,
    split_by: SplitBy = None,
    genre_map: GenreMapFile = None,
    min_tracks: MinTracks = MIN_TRACKS.default,
    preset: Preset = PRESET.default,
    workers: Workers = None,
    scheduler: Scheduler = None,
    refresh: Refresh = False,
    verify: Verify = False,
    retry_quarantined: RetryQuarantined = False,
    max_quarantined: MaxQuarantined = MAX_QUARANTINED.default,
    storage_block: StorageBlock = None,
) -> FeaturesResult:
    """Write the features of a catalogue's tracks that the store does not hold yet.

    Parameters
    ----------
    data : str
        Folder or s3:// address of one of the layouts (`genre_model.data.layouts`), or `demo`, the
        built-in data set.
    store : str
        Folder or s3:// address that results are kept in.
    subset : str, optional
        Tracks to take; by default the largest subset whose folder lies in `data`.
    layout : str, optional
        Name of the layout; by default the first that fits.
    split_by : str, optional
        What stays together where the data brings no split.
    genre_map : str, optional
        Address of a CSV, from,to: what genres in tags are called.
    min_tracks : int
        Genres with fewer tracks are left out.
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
    max_quarantined : float [0 to 1]
        Share of refused tracks above which the run fails, with the ledger as its message.
    storage_block : str, optional
        Prefect block with the options of s3:// addresses; see `flows.dashboard.blocks`.
    """
    check_cluster(workers=workers, scheduler=scheduler)
    options = storage_options(storage_block)
    root = parse_location(store_address(store), options)
    spec = preset_at(root, preset)
    location = data_location(data, options=options, workers=workers, scheduler=scheduler)
    began = time.monotonic()  # what it takes to make the built-in data set is told by itself
    tracks = asked_tracks(subset, layout, split_by, genre_map, min_tracks)
    wanted = catalogue_options(**tracks, storage=options)
    found = find_catalogue(location, options=wanted, store=root, stage=quoted(_reading_tags))
    if events.is_part_of_a_run():
        found.check_splits()
    for sentence in found.catalogue.left_out.sentences:
        progress.show_line(sentence)
        get_run_logger().warning("%s", sentence)
    if scheduler is not None:
        _check_folders(scheduler, found, root)
    kept = Store.mend(root) if verify else Store.create(root)
    if not verify:
        check_array(kept, found, spec)
    catalogue_id = store_catalogue(kept, quoted(found), say=progress.say)
    artifacts.catalogue(found.summary())
    what = kept.features.claim_name(data_set=found.catalogue.data_set, name=spec.key)
    with kept.claim(what, say=progress.say) as claim:
        work = prepare_features(
            kept,
            quoted(found),
            spec,
            refresh=refresh,
            check_bytes=verify,
            retry_quarantined=retry_quarantined,
        )
        built = build_shards(work, workers=workers, scheduler=scheduler)
        claim.check()
        finalised = finalise_features(quoted(work))
    counts = count_features(work, found, finalised.rows)
    result = FeaturesResult(
        counts=counts,
        catalogue=catalogue_id,
        data=found.data.uri,
        building_seconds=round(built.seconds, 3),
        worker_seconds=round(built.worker_seconds, 3),
        seconds=round(time.monotonic() - began, 3),
    )
    get_run_logger().info(
        "%s: %d written, %d reused, %d quarantined of %d tracks",
        *(counts.key, counts.written, counts.reused, counts.quarantined, counts.tracks),
    )
    artifacts.data_page(describe_catalogue(kept, catalogue_id, array=work.features))
    artifacts.throughput(result, workers=built.workers)
    ledger = _publish_quarantine(work, finalised.quarantine)
    where = work.features.quarantine_file.uri
    try:
        check_quarantine(counts, ledger, limit=max_quarantined, where=where)
    except TooManyQuarantined as refusal:
        events.features_quarantined(kept, counts, message=str(refusal))
        raise
    events.features_ready(kept, result, preset=preset, storage_block=storage_block)
    return result


def _reading_tags(total: int) -> AbstractContextManager[progress.Show]:
    return progress.stage("tags", total=total, unit="files")


def build_shards(
    work: FeatureWork,
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    compute: Callable[[ShardJob], ShardOutcome] = write_shard,
) -> Built:
    """Write the plan's shards on Dask, a bounded number at a time; call it in a flow run.

    Parameters
    ----------
    work : FeatureWork
    workers, scheduler
        As for `dask_crew`.
    compute : callable
        What a worker does; another one only to measure what is around it.
    """
    if not work.plan.shards:
        return Built()
    topic = f"genre-progress-{uuid.uuid4().hex[:8]}"
    outcomes: list[ShardOutcome] = []

    def submit(shard: ShardWork) -> PrefectFuture[None]:
        job = ShardJob(
            features=work.features,
            data=work.data,
            work=shard,
            extractor=extractor.result(),
            weights=work.weights,
            topic=topic,
        )
        return build_shard.submit(
            shard.shard,
            quoted(job),
            keep=quoted(outcomes.append),
            compute=compute,
            on_workers=quoted(crew.call),
        )

    # librosa is imported here while the workers start.
    with ThreadPoolExecutor(1) as aside:
        extractor = aside.submit(feature_extractor, work.spec)
        with (
            dask_crew(workers=workers, scheduler=scheduler) as crew,
            worker_progress.followed(
                crew.client,
                topic,
                stage="features",
                total=work.tracks,
                unit="tracks",
                what="tracks decoded",
                key="features-progress",
            ) as note,
        ):
            wait([extractor])
            if scheduler is not None:
                _require_folders(crew, work)
            began = time.monotonic()
            run_bounded(
                submit,
                work.plan.shards,
                limit=lambda: IN_FLIGHT_A_WORKER * crew.size,
                on_done=lambda shard: note(shard.shard, len(shard.rows)),
                is_alone=may_pass,
            )
            seconds = time.monotonic() - began
            outcomes.sort(key=lambda outcome: outcome.shard)
            return Built(outcomes=tuple(outcomes), workers=crew.size, seconds=seconds)


def _check_folders(scheduler: str, found: FoundCatalogue, store: Location) -> None:
    """Refuse, before anything is written, workers that do not see the folders of data and store."""
    with dask_crew(scheduler=scheduler) as crew:
        for path in list(found.audio)[:1]:
            require_folder(crew, found.base, resolve(found.base, path))
        if store.local_path is not None:
            with sample_of(store.local_path, name=DESCRIPTION) as sample:
                crew.require(sees(sample, below=store.uri))


def _require_folders(crew: Crew, work: FeatureWork) -> None:
    """Have all workers see the folders of data and store, also those that join later."""
    known = [state.path for shard in work.plan.shards for _, state in shard.rows if state.size]
    samples = [(work.data, resolve(work.data, known[0]))] if known else []
    for folder, sample in (*samples, (work.features.location, work.features.description)):
        require_folder(crew, folder, sample)


def _publish_quarantine(work: FeatureWork, quarantine: pd.DataFrame) -> pd.DataFrame:
    """Publish the refused tracks of this catalogue, and return them."""
    here = quarantine[quarantine["track_id"].isin(work.plan.current["track_id"])]
    rows = here[["path", "reason", "detail"]].rename(columns={"path": "file"})
    artifacts.quarantine(
        rows.fillna("").to_dict(orient="records"),  # type: ignore[arg-type]
        total=len(here),
    )
    return here
