"""Whether training windows are kept or read again in each epoch."""

from __future__ import annotations

from pathlib import Path

import psutil

from genre_model.errors import InvalidSpec
from genre_model.learning.devices import device_memory, training_device
from genre_model.recipe import TrainSpec

GPU_BUDGET = 4 * 2**30
"""Bytes of windows that a GPU keeps which does not tell its memory; FMA small has 2.1 GB."""
SHARE_OF_GPU = 1 / 3
"""Of the memory of one that does: the rest is the network's and a batch's."""
SHARE_OF_MEMORY = 0.25
"""Of the memory that is free, where the CPU computes."""
MOST_FRAMES = 2**31 - 1


def is_resident(spec: TrainSpec, *, windows: int, shape: tuple[int, ...]) -> tuple[bool, str]:
    """Choose, and say why.

    Parameters
    ----------
    spec : TrainSpec
        `feed` forces either.
    windows : int
        How many are trained on.
    shape : tuple[int, ...]
        Of one.

    Returns
    -------
    tuple[bool, str]
        Whether they are kept, and the sentence.

    Raises
    ------
    InvalidSpec
        If they are to be kept, and have more frames than can be counted.
    """
    values = windows
    for size in shape:
        values *= size
    size, frames = 2 * values, windows * (shape[1] if shape[1:] else 1)
    on_cpu = training_device() == "CPU"
    budget = int(SHARE_OF_MEMORY * free_memory()) if on_cpu else _of_gpu()
    where = "memory" if on_cpu else "the device's memory"
    told = windows_in_words(windows, size)
    if spec.feed == "resident" and frames > MOST_FRAMES:
        raise InvalidSpec(
            f"training.feed is 'resident', but {told} have more frames than {MOST_FRAMES:,}; "
            "leave it out"
        )
    if spec.devices > 1:  # each would read what the first one keeps
        return False, f"{told} are read in each epoch, for {spec.devices} devices"
    if spec.feed == "streaming" or (
        spec.feed == "auto" and (size > budget or frames > MOST_FRAMES)
    ):
        why = "" if spec.feed == "streaming" else f", above {_mega(budget)}"
        return False, f"{told} are read in each epoch{why} (training.feed)"
    return True, f"{told} are kept in {where} (training.feed)"


def free_memory(
    groups: Path = Path("/sys/fs/cgroup"), own: Path = Path("/proc/self/cgroup")
) -> int:
    """Return the bytes of memory that are free: on the machine, and within a container's limits.

    Parameters
    ----------
    groups : Path
        Where Linux tells the limits of control groups (version 2).
    own : Path
        Where it tells in which of them this process is.
    """
    free = [int(psutil.virtual_memory().available)]
    for group in _own_groups(groups, own):
        try:
            most = (group / "memory.max").read_text().strip()
            used = int((group / "memory.current").read_text())
            told = dict(map(str.split, (group / "memory.stat").read_text().splitlines()))
        except OSError:  # no limits are told there, as in the root of all
            continue
        if most.isdigit():
            # files that were read are counted as used, and given up where memory is wanted
            free.append(max(0, int(most) - used + int(told.get("inactive_file", 0))))
    return min(free)


def _own_groups(groups: Path, own: Path) -> list[Path]:
    """Return the control groups that this process is in, the innermost first."""
    try:
        (path,) = (line[3:] for line in own.read_text().splitlines() if line.startswith("0::"))
    except (OSError, ValueError):  # another system, or version 1
        return []
    # a container sees its own group as the root, by a path that may lead out of what it sees
    inner = groups.joinpath(*(part for part in Path(path).parts if part not in ("/", "..")))
    return [each for each in (inner, *inner.parents) if each.is_relative_to(groups)]


def windows_in_words(windows: int, size: int) -> str:
    """Say how many windows there are, and their bytes."""
    return f"{windows:,} training windows ({_mega(size)})"


def _of_gpu() -> int:
    memory = device_memory()
    return GPU_BUDGET if memory is None else int(SHARE_OF_GPU * memory)


def _mega(size: int) -> str:
    return f"{size / 1e6:,.0f} MB"
