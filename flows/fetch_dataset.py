"""The flow `fetch-dataset`: archive → members on Dask → verified files, the metadata first."""

from __future__ import annotations

import functools
import sys
import time
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from typing import Annotated, Any, Literal

from distributed import Client
from prefect import flow, get_run_logger
from prefect.futures import PrefectFuture
from pydantic import Field

from flows.dashboard import artifacts
from flows.dashboard.blocks import storage_options
from flows.engine import progress, worker_progress
from flows.engine.bounded import run_bounded
from flows.engine.cluster import dask_client
from flows.engine.download_progress import MEBIBYTE, DownloadProgress
from flows.engine.fetch_request import wanted_archives
from flows.parameters import Described, Scheduler, StorageBlock, Workers
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
from tasks.quoting import opaque
from tasks.unpack_part import unpack_part
from tasks.worker.unpacking import PartJob, PartOutcome

IN_FLIGHT_A_WORKER = 2

Dataset = Literal["fma_small", "fma_medium", "fma_large", "fma_full", "fma_metadata"]


@flow(name="fetch-dataset", flow_run_name="fetch-{dataset}")
def fetch_dataset(
    dataset: Annotated[Dataset, Described("Data set; the metadata comes with each.")],
    to: Annotated[
        str,
        Field(min_length=1),
        Described("Folder or s3:// address, absolute; what `data` names afterwards."),
    ],
    mirror: Annotated[
        str | None,
        Field(min_length=1),
        Described("http(s)://, file:// or s3:// that holds NAME.zip. Empty: FMA's own."),
    ] = None,
    sha1: Annotated[
        dict[str, str] | None, Described("Archive -> sha1, where it is not FMA's own.")
    ] = None,
    stream: Annotated[
        bool, Described("Read members by range where they lie, and keep no archive.")
    ] = False,
    archives: Annotated[
        str | None,
        Field(min_length=1),
        Described("Folder that keeps archives. Empty: `to`, or for a bucket a cache."),
    ] = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
    verify: Annotated[
        bool, Described("Read the files that are there, and write damaged ones again.")
    ] = False,
    storage_block: StorageBlock = None,
) -> dict[str, Any]:
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
        As for `dask_client`.
    verify : bool
        Read files that are there, and write damaged ones again.
    storage_block : str, optional
        Prefect block with the options of s3:// addresses, `to` and `mirror` alike; see
        `flows.dashboard.blocks`.

    Returns
    -------
    dict
        The JSON object of `genre fetch`.
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
            lambda: stack.enter_context(dask_client(workers=workers, scheduler=scheduler))
        )
        there = {each.name: None if verify else find_fetched(opaque(each)) for each in wanted}
        missing = [each for each in wanted if there[each.name] is None]
        # What cannot be had, or has no room, is found out before anything is written.
        facts = {each.name: contact(opaque(each)) for each in missing}
        check_room(opaque([(each, facts[each.name]) for each in missing]))
        found = [
            _line(each, fetched, written=0)
            if (fetched := there[each.name])
            else _fetch(each, facts[each.name], cluster, verify=verify)
            for each in wanted
        ]
    result = {
        "dataset": dataset,
        "to": wanted[0].data.uri,
        **{name: sum(each[name] for each in found) for name in ("files", "bytes")},
        "verified": [name for name in found[0]["verified"] if _in_all(name, found)],
        **{name: sum(each[name] for each in found) for name in ("written", "reused")},
        "archives": found,
        "seconds": round(time.monotonic() - began, 3),
    }
    get_run_logger().info("%d files, %d of them written", result["files"], result["written"])
    for each in found:
        for remark in each["remarks"]:
            get_run_logger().warning("%s: %s", each["name"], remark)
    artifacts.fetched(result)
    return result


def _fetch(
    wanted: Wanted, facts: Facts, cluster: Callable[[], Client], *, verify: bool
) -> dict[str, Any]:
    """Fetch one archive, and return its line of the result."""
    with Claim(wanted.data / NOTES, wanted.name, say=progress.say) as claim:
        archive = _get(wanted, facts)
        unpacking = plan_files(opaque(wanted), opaque(archive), verify=verify)
        outcomes = _unpack(wanted, archive, unpacking, cluster)
        claim.check()
        fetched = verify_fetched(opaque(wanted), opaque(archive))
    return _line(wanted, fetched, written=sum(outcome.written for outcome in outcomes))


def _get(wanted: Wanted, facts: Facts) -> ArchiveAt:
    size = (facts.size or 0) // MEBIBYTE
    with progress.stage("archive", total=size, unit="MiB") as show:
        on_bytes = opaque(DownloadProgress(wanted.name, show))
        return get_archive(opaque(wanted), facts, on_bytes=on_bytes, say=opaque(progress.say))


def _unpack(
    wanted: Wanted, archive: ArchiveAt, unpacking: Unpacking, cluster: Callable[[], Client]
) -> list[PartOutcome]:
    """Unpack what is missing on Dask, a bounded number of parts at a time."""
    if not unpacking.parts:
        return []
    topic = f"genre-fetch-{uuid.uuid4().hex[:8]}"
    outcomes: list[PartOutcome] = []
    client = cluster()

    def submit(part: Part) -> PrefectFuture[None]:
        job = PartJob(
            archive=archive,
            part=part,
            target=wanted.target,
            notes=wanted.notes,
            topic=topic,
        )
        return unpack_part.submit(
            wanted.name, part.number, opaque(job), keep=opaque(outcomes.append)
        )

    with worker_progress.shown(
        client,
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
            limit=lambda: IN_FLIGHT_A_WORKER * max(1, len(client.nthreads())),
            on_done=lambda part: note(part.number, part.size),
        )
    return outcomes


def _line(wanted: Wanted, fetched: Fetched, *, written: int) -> dict[str, Any]:
    return {
        "name": wanted.name,
        "source": fetched.source,
        "archive": wanted.kept.uri if wanted.kept else None,
        "files": len(fetched.files),
        "bytes": sum(note.size for note in fetched.files),
        "written": written,
        "reused": len(fetched.files) - written,
        "verified": list(fetched.verified),
        "remarks": list(fetched.remarks),
    }


def _in_all(name: str, found: list[dict[str, Any]]) -> bool:
    return all(name in each["verified"] for each in found)


if __name__ == "__main__":
    from flows.command.cli import main

    main(["fetch", *sys.argv[1:]])
