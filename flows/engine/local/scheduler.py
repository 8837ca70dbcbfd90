"""A scheduler in a process of its own that may write as much as it likes."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from distributed.deploy.subprocess import SubprocessScheduler

_READ_BYTES = 1 << 16


class Scheduler(SubprocessScheduler):
    """Dask's own, whose log is read.

    Dask gives it a pipe for a log and reads that only when the scheduler does not start: after some
    190 kB, a line for each worker and client that comes or goes, a write would wait for ever, and
    with it all that a scheduler does.
    """

    _reading: asyncio.Task[None] | None = None

    async def _start(self) -> None:
        await super()._start()  # type: ignore[no-untyped-call]
        if self.process is not None and self.process.stderr is not None:
            self._reading = asyncio.create_task(_read_on(self.process.stderr))

    async def close(self) -> None:
        """End the process; Dask reads the end of its log."""
        if self._reading is not None:
            self._reading.cancel()
            with suppress(asyncio.CancelledError):
                await self._reading
        await super().close()


async def _read_on(log: asyncio.StreamReader) -> None:
    while await log.read(_READ_BYTES):
        pass
