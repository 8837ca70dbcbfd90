"""The flow `fetch-dataset`: archive → members on Dask → verified files, the metadata first."""

from __future__ import annotations

import functools
import time
import uuid
from collections.abc import Callable
from contextlib import ExitStack

from prefect import flow, get_run_logger
from prefect.futures import PrefectFuture

from flows.dashboard import artifacts
from flows.dashboard.blocks import storage_options
from flows.engine import progress, worker_progress
from flows.engine.bounded import run_bounded
from flows.engine.cluster import check_cluster, dask_crew
from flows.engine.crew.crew import Crew
from flows.engine.download_progress import MEBIBYTE, DownloadProgress
from flows.engine.fetch_request import wanted_archives
from flows.engine.quoting import quoted
from flows.engine.shared_folders import require_folder
from flows.options import (
    Archives,
    Dataset,
    Mirror,
    Scheduler,
    Sha1,
    StorageBlock,
    Stream,
    To,
    Verify,
    Workers,
)
from flows.results import FetchedArchive, FetchResult
from storage.archives.archive_file import ArchiveAt
from storage.archives.fetch_notes import Fetched
from storage.archives.origin import Facts
from storage.archives.unpacking import Part, Unpacking
from storage.claims import Claim
from tasks.fetch import (
    NOTES,
    Wanted,
    check_room,
    contact,
    find_fetched,
    get_archive,
    plan_files,
    verify_fetched,
)
from tasks.unpack_part import unpack_part
from tasks.worker.unpacking import PartJob, PartOutcome

IN_FLIGHT_A_WORKER = 2


@flow(name="fetch-dataset", flow_run_name="fetch-{dataset}")
def fetch_dataset(
    dataset: Dataset,
    to: To,
    mirror: Mirror = None,
    sha1: Sha1 = None,
    stream: Stream = False,
    archives: Archives = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
    verify: Verify = False,
    storage_block: StorageBlock = None,
) -> FetchResult:
    """Download FMA's archives, unpack them and check every byte; what is there stays.

    Parameters
    ----------
    dataset : str
        `fma_small`, `fma_medium`, `fma_large`, `fma_full` or `fma_metadata`.
    to : str
        Folder or s3:// address of the data.
    mirror : str, optional
        Address that holds `fma_small.zip` and the like; FMA's own by default.
    sha1 : dict of str, optional
        Archive -> sha1, where it is not the one that FMA published.
    stream : bool
        Unpack from the source by range reads; the archives' sha1 cannot be compared then.
    archives : str, optional
        Folder that keeps the archives.
    workers, scheduler
        As for `dask_crew`.
    verify : bool
        Read files that are there, and write damaged ones again.
    storage_block : str, optional
        Prefect block with the options of s3:// addresses, `to` and `mirror` alike; see
        `flows.dashboard.blocks`.
    """
    began = time.monotonic()
    wanted = wanted_archives(
        dataset,
        to,
        mirror=mirror,
        sha1=sha1,
        stream=stream,
        archives=archives,
        options=storage_options(storage_block),
    )
    with ExitStack() as stack:
        # started when it is first needed
        cluster = functools.cache(
            lambda: stack.enter_context(dask_crew(workers=workers, scheduler=scheduler))
        )
        there = {each.name: None if verify else find_fetched(quoted(each)) for each in wanted}
        missing = [each for each in wanted if there[each.name] is None]
        if missing:
            check_cluster(workers=workers, scheduler=scheduler)
        # What cannot be had, or has no room, is found out before anything is written.
        facts = {each.name: contact(quoted(each)) for each in missing}
        check_room(quoted([(each, facts[each.name]) for each in missing]))
        found = [
            _line(each, fetched, written=0)
            if (fetched := there[each.name])
            else _fetch(each, facts[each.name], cluster, verify=verify)
            for each in wanted
        ]
    result = FetchResult(
        dataset=dataset,
        to=wanted[0].data.uri,
        archives=tuple(found),
        seconds=round(time.monotonic() - began, 3),
    )
    get_run_logger().info("%d files, %d of them written", result.files, result.written)
    for each in found:
        for remark in each.remarks:
            get_run_logger().warning("%s: %s", each.name, remark)
    artifacts.fetched(result)
    return result


def _fetch(
    wanted: Wanted, facts: Facts, cluster: Callable[[], Crew], *, verify: bool
) -> FetchedArchive:
    """Fetch one archive, and return its line of the result."""
    with Claim(wanted.data / NOTES, wanted.name, say=progress.say) as claim:
        archive = _get(wanted, facts)
        unpacking = plan_files(quoted(wanted), quoted(archive), verify=verify)
        outcomes = []
        if unpacking.parts:
            crew = cluster()
            require_folder(crew, wanted.data, claim.location)
            if (kept := archive.origin.location) is not None:
                require_folder(crew, kept, kept)
            outcomes = _unpack(wanted, archive, unpacking, crew)
        claim.check()
        fetched = verify_fetched(quoted(wanted), quoted(archive))
    return _line(wanted, fetched, written=sum(outcome.written for outcome in outcomes))


def _get(wanted: Wanted, facts: Facts) -> ArchiveAt:
    size = (facts.size or 0) // MEBIBYTE
    with progress.stage("archive", total=size, unit="MiB") as show:
        on_bytes = quoted(DownloadProgress(wanted.name, show))
        return get_archive(quoted(wanted), facts, on_bytes=on_bytes, say=quoted(progress.say))


def _unpack(
    wanted: Wanted, archive: ArchiveAt, unpacking: Unpacking, crew: Crew
) -> list[PartOutcome]:
    """Unpack what is missing on Dask, a bounded number of parts at a time."""
    topic = f"genre-fetch-{uuid.uuid4().hex[:8]}"
    outcomes: list[PartOutcome] = []

    def submit(part: Part) -> PrefectFuture[None]:
        job = PartJob(
            archive=archive,
            part=part,
            target=wanted.target,
            notes=wanted.notes,
            topic=topic,
        )
        return unpack_part.submit(
            wanted.name,
            part.number,
            quoted(job),
            keep=quoted(outcomes.append),
            on_workers=quoted(crew.call),
        )

    with worker_progress.followed(
        crew.client,
        topic,
        stage="unpack",
        total=unpacking.size,
        unit="MiB",
        what="bytes unpacked",
        key="fetch-progress",
        unit_size=MEBIBYTE,
    ) as note:
        run_bounded(
            submit,
            unpacking.parts,
            limit=lambda: IN_FLIGHT_A_WORKER * crew.size,
            on_done=lambda part: note(part.number, part.size),
        )
    return outcomes


def _line(wanted: Wanted, fetched: Fetched, *, written: int) -> FetchedArchive:
    return FetchedArchive(
        name=wanted.name,
        source=fetched.source,
        archive=wanted.kept.uri if wanted.kept else None,
        files=len(fetched.files),
        bytes=sum(note.size for note in fetched.files),
        written=written,
        reused=len(fetched.files) - written,
        verified=fetched.verified,
        remarks=fetched.remarks,
    )
