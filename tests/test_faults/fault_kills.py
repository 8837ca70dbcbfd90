"""When to kill, and what the kills hit."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from fault_processes import wait_until
from fault_stores import FeaturesFolder, temporary_files

KILLS = int(os.environ.get("GENRE_KILLS", "20"))
"""Random moments in each suite on the engine below Prefect."""

SEED = int(os.environ.get("GENRE_KILL_SEED", "12"))

_POLL_S = 0.002

Moment = Callable[[FeaturesFolder], None]
"""Returns when a run that writes to the given folder has come to the moment of its kill."""


@dataclass(frozen=True)
class Drawn:
    """So long after so many manifests, and with `last` of them at the latest.

    A run that is quicker than the one it was timed by would else have ended by then.
    """

    manifests: int
    after_s: float
    last: int = 1_000_000

    def __call__(self, features: FeaturesFolder) -> None:
        _wait(lambda: self._has_come(features))
        until = time.monotonic() + self.after_s
        _wait(lambda: time.monotonic() >= until or len(features.manifests) >= self.last)

    def _has_come(self, features: FeaturesFolder) -> bool:
        if self.manifests:
            return len(features.manifests) >= self.manifests
        return bool(features.plans)


def draw(timeline: list[float], number: int) -> Drawn:
    """Draw a moment between the start of a timeline and its last manifest, evenly in time.

    Parameters
    ----------
    timeline : list of float
        Of an undisturbed run (`FeaturesFolder.timeline` or `.writing`), seconds.
    number : int
        Which moment; the same number gives the same one.
    """
    at = np.random.default_rng([SEED, number]).uniform(0, timeline[-1])
    manifests = sum(each <= at for each in timeline[1:])
    return Drawn(manifests, at - timeline[manifests], last=len(timeline) - 2)


def in_a_shards_bytes(features: FeaturesFolder) -> None:
    """Wait until a shard lies there under its temporary name."""
    _wait(lambda: any(features.path.glob("log_mel/c/*/0/0/.0.*.partial")))


def before_a_manifest(features: FeaturesFolder) -> None:
    """Wait until a shard lies there whose manifest does not."""
    _wait(lambda: bool(features.objects - features.finished))


AIMED: dict[str, Moment] = {
    "in a shard's bytes": in_a_shards_bytes,
    "before a manifest": before_a_manifest,
}
"""Moments too short to be hit by chance."""


@dataclass
class Tally:
    """What a suite's kills hit."""

    shards: int = 0
    finished: list[int] = field(default_factory=list)
    partial: int = 0
    unrecorded: int = 0
    ends_s: list[float] = field(default_factory=list)

    def note(self, features: FeaturesFolder, shards: int) -> set[int]:
        """Take note of what a kill left, and return the finished shards."""
        finished, objects = features.finished, features.objects
        self.shards = shards
        self.finished.append(len(finished))
        self.partial += bool(temporary_files(features.path))
        self.unrecorded += bool(objects - finished)
        return finished

    @property
    def sentence(self) -> str:
        """Summarise."""
        writing = sum(each < self.shards for each in self.finished)
        ends = f"; orphans ended within {max(self.ends_s):.1f} s" if self.ends_s else ""
        return (
            f"{len(self.finished)} kills, {writing} of them before the last manifest; finished "
            f"shards at the kill (of {self.shards}): {' '.join(map(str, sorted(self.finished)))}; "
            f"{self.partial} left a temporary file, {self.unrecorded} a shard without its "
            f"manifest{ends}"
        )


TALLIES: dict[str, Tally] = {}
"""By suite; told at the end of the session."""


NOTES: list[str] = []
"""What else was measured; told at the end of the session."""


def tally(suite: str) -> Tally:
    """Give the tally of a suite."""
    return TALLIES.setdefault(suite, Tally())


def _wait(holds: Callable[[], bool]) -> None:
    wait_until(holds, every_s=_POLL_S, what="the moment of a kill")
