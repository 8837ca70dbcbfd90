"""What this process and its descendants take, sampled while something runs."""

from __future__ import annotations

import math
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

import numpy as np
import psutil

DRIVER = "driver"
_DESCENDANTS_EVERY_S = 1.0


class Sampler:
    """Follow the CPU time and the memory of this process and its descendants, by role.

    Parameters
    ----------
    role_of : callable
        Names a descendant by its command line; this process itself is the `driver`.
    every_s : float
        Seconds between samples.

    Notes
    -----
    Its own CPU time is not counted as the driver's.

    Examples
    --------
    >>> with Sampler(lambda command: "child") as sampler:
    ...     began = time.monotonic()
    >>> sampler.rss("driver", began) > 0
    True
    """

    def __init__(self, role_of: Callable[[Sequence[str]], str], *, every_s: float = 0.25) -> None:
        self._role_of, self._every_s = role_of, every_s
        self._roles: dict[psutil.Process, str] = {psutil.Process(): DRIVER}
        self._last_cpu: dict[psutil.Process, float] = {}
        self._own_cpu = 0.0
        self._times: list[float] = []
        self._cpu: dict[str, list[float]] = defaultdict(list)
        self._rss: dict[str, list[float]] = defaultdict(list)
        self._one_at_a_time, self._stop = threading.Lock(), threading.Event()
        self._thread = threading.Thread(target=self._follow, name="sampler", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()
        self._look(for_new=False)

    @property
    def last(self) -> float:
        """When the last sample was taken, by `time.monotonic`."""
        return self._times[-1]

    def cpu(self, role: str, at: float) -> float:
        """Return the CPU seconds that a role had taken at a time, in between samples too."""
        return self._between(self._cpu[role], at)

    def rss(self, role: str, at: float) -> float:
        """Return the bytes that a role had in memory at a time, in between samples too."""
        return self._between(self._rss[role], at)

    def peak(self, *roles: str) -> float:
        """Return the most bytes that some roles had together in memory at a sample."""
        each = [self._since_start(self._rss[role]) for role in roles]
        return max((sum(together) for together in zip(*each, strict=True)), default=0.0)

    def now(self) -> dict[str, float]:
        """Take a sample, and return the bytes that each role has in memory."""
        self._look(for_new=True)
        return {role: values[-1] for role, values in self._rss.items()}

    def _between(self, values: list[float], at: float) -> float:
        return float(np.interp(at, self._times, self._since_start(values)))

    def _since_start(self, values: list[float]) -> list[float]:
        # A role that came later has fewer samples; before it came it had taken nothing.
        return [0.0] * (len(self._times) - len(values)) + values

    def _follow(self) -> None:
        looked = -math.inf
        while True:
            is_due = time.monotonic() - looked > _DESCENDANTS_EVERY_S
            if is_due:
                looked = time.monotonic()
            self._look(for_new=is_due)
            if self._stop.wait(self._every_s):
                return

    def _look(self, *, for_new: bool) -> None:
        with self._one_at_a_time:
            began = time.thread_time()
            if for_new:
                self._find_descendants()
            self._sample()
            self._own_cpu += time.thread_time() - began

    def _find_descendants(self) -> None:
        for process in psutil.Process().children(recursive=True):
            if process not in self._roles:
                try:
                    self._roles[process] = self._role_of(process.cmdline())
                except psutil.Error:
                    continue  # it ended meanwhile

    def _sample(self) -> None:
        cpu: dict[str, float] = defaultdict(float)
        rss: dict[str, float] = defaultdict(float)
        for process, role in self._roles.items():
            try:
                with process.oneshot():
                    times = process.cpu_times()
                    self._last_cpu[process] = times.user + times.system
                    rss[role] += process.memory_info().rss
            except psutil.Error:
                rss[role] += 0.0  # it has ended, and keeps the CPU time that it had
            cpu[role] += self._last_cpu.get(process, 0.0)
        cpu[DRIVER] -= self._own_cpu
        self._times.append(time.monotonic())
        for role in cpu:
            self._cpu[role].append(cpu[role])
            self._rss[role].append(rss[role])
