"""What a Dask worker does for a fetch: unpack one part of an archive. It imports no Prefect."""

from __future__ import annotations

import time
from dataclasses import dataclass

from storage.archives.archive_file import ArchiveAt
from storage.archives.unpacking import Part, write_members
from storage.places.location import Location
from tasks.worker.reporting import reporter


@dataclass(frozen=True, kw_only=True)
class PartJob:
    """One part of an archive, and where it goes.

    Attributes
    ----------
    archive : ArchiveAt
    part : Part
    target, notes : Location
        As for `storage.archives.unpacking.write_members`.
    topic : str
        Dask topic on which the bytes done are reported; empty for none.
    """

    archive: ArchiveAt
    part: Part
    target: Location
    notes: Location
    topic: str = ""


@dataclass(frozen=True, kw_only=True)
class PartOutcome:
    """What became of one part.

    Attributes
    ----------
    written, reused : int
        Files.
    seconds : float
    """

    written: int
    reused: int
    seconds: float


def unpack(job: PartJob) -> PartOutcome:
    """Unpack one part of an archive.

    Parameters
    ----------
    job : PartJob

    Returns
    -------
    PartOutcome

    Raises
    ------
    BadArchive
        If a member is damaged.
    StorageError
        If the archive cannot be read or the files cannot be written.
    """
    began = time.monotonic()
    with job.archive.open(until=job.part.end) as file:
        written, reused = write_members(
            file,
            job.part,
            target=job.target,
            notes=job.notes,
            on_bytes=reporter(job.topic, job.part.number),
        )
    return PartOutcome(written=written, reused=reused, seconds=round(time.monotonic() - began, 3))
