"""Whether there is room for what is to come, before the first byte of it."""

import shutil
from collections.abc import Iterable
from pathlib import Path

from storage.errors import Full
from storage.places.location import Location


def check_space(needs: Iterable[tuple[Location, int]], *, remedy: str) -> None:
    """Refuse to begin what cannot end.

    Parameters
    ----------
    needs : iterable of (Location, int)
        Where, and how many bytes; those on one disk are added up. Buckets have no end.
    remedy : str
        What can be done, for the sentence.

    Raises
    ------
    Full
        If a disk has less room than is needed.
    """
    of_disk: dict[int, tuple[Path, int]] = {}
    for place, size in needs:
        if place.local_path is None:
            continue
        there = _nearest(place.local_path)
        disk = there.stat().st_dev
        of_disk[disk] = place.local_path, size + of_disk.get(disk, (there, 0))[1]
    for path, needed in of_disk.values():
        free = _free(_nearest(path))
        if needed > free:
            raise Full(
                f"{path} has room for {readable_size(free)}, but {readable_size(needed)} are to "
                f"come: {remedy}."
            )


def readable_size(size: int) -> str:
    """Write a number of bytes for people.

    Examples
    --------
    >>> readable_size(7 * 2**30), readable_size(300 * 2**10)
    ('7.0 GiB', '0.3 MiB')
    """
    return f"{size / 2**30:,.1f} GiB" if size >= 2**30 else f"{size / 2**20:,.1f} MiB"


def _free(path: Path) -> int:
    return shutil.disk_usage(path).free


def _nearest(path: Path) -> Path:
    return next(each for each in (path, *path.parents) if each.exists())
