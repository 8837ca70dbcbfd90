"""The workers that may be given work, kept up to date while workers join, leave and are replaced.

Work is sent to members only, by Dask's own restriction of a task to some addresses. A worker is a
member once it fulfils all that is required; one that does not is named once and left aside, and the
others go on. Dask gives a task to the next of its addresses when a worker dies; where none of them
is left, the call is sent anew to those who are members then.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from flows.engine.crew.requirements import (
    Requirement,
    Worker,
    holds_credentials,
    lacks,
)
from flows.errors import ClusterLost, UsageError, WorkersDied
from storage.errors import NotHandedOver
from tasks.worker import handing_over, pickled_call
from tasks.worker.pickled_call import PickledCall

if TYPE_CHECKING:
    from distributed import Client
    from distributed import Future as DaskFuture

Item = TypeVar("Item")

START_LIMIT_S, SAID_AFTER_S = 180.0, 10.0
ANSWER_LIMIT_S = 30.0
NO_WORKERS_LIMIT_S = 60.0
_LATECOMERS_S = 3.0
_LOOK_EVERY_S, _LOOK_AT_START_S = 1.0, 0.1
_END_LIMIT_S, _RESULT_LIMIT_S = 5.0, 30.0
_CALLS = 4
_NOTHING = object()
_SCHEDULER_GONE = "the Dask scheduler is gone"
_GO_ON = "what was written stays, run the same command again to go on"


@dataclass
class _Known:
    """How far one worker has come."""

    fulfilled: int = 0
    lack: str = ""
    is_silent: bool = False
    is_named: bool = False
    being_asked: asyncio.Task[None] | None = field(default=None, repr=False)


class Crew:
    """The members among a cluster's workers.

    Parameters
    ----------
    client : distributed.Client
    requirements : sequence of Requirement
    say : callable
        Takes a sentence, in any thread: of a worker that is left aside, of waiting.
    """

    def __init__(
        self, client: Client, requirements: Sequence[Requirement], *, say: Callable[[str], None]
    ) -> None:
        self.client = client
        self._requirements = list(requirements)
        self._say = say
        self._changed = threading.Condition()
        self._handing = threading.Lock()
        self._known: dict[str, _Known] = {}
        self._members: set[str] = set()
        self._handed: frozenset[str] = frozenset()
        self._is_settled = self._is_closed = False
        self._lost = ""
        self._watches: list[asyncio.Task[None]] = []

    @property
    def size(self) -> int:
        """How many members there are; at least 1."""
        with self._changed:
            return max(1, len(self._members))

    @property
    def is_empty(self) -> bool:
        """Whether the cluster has no worker at all."""
        return not self._known

    def start(self, *, expected: int = 0, nobody: Callable[[str], Exception]) -> None:
        """Look who is there, and wait for a member, for those that are asked, and a little longer.

        Parameters
        ----------
        expected : int
            Members that are waited for, for some seconds.
        nobody : callable
            Makes the error for when no worker came or answered, from how long was waited.

        Raises
        ------
        UsageError
            If every worker lacks something.
        ClusterLost
            If the scheduler is gone.
        """

        async def begin() -> None:
            self._watches = [
                asyncio.create_task(each) for each in (self._look(), self._note_loss())
            ]

        self.client.sync(begin)
        self._settle(expected, nobody)

    def require(self, requirement: Requirement) -> None:
        """Require one thing more of all workers, also of those that join later.

        Raises
        ------
        UsageError
            If no worker fulfils it.
        ClusterLost
            If none answers, or the scheduler is gone.
        """

        async def ask_again() -> None:
            with self._changed:
                self._requirements.append(requirement)
                asked, self._members = self._members, set()
                for address in asked:
                    self._ask(address)

        self.client.sync(ask_again)
        self._settle(
            0,
            lambda waited: ClusterLost(f"no Dask worker has answered for {waited}; {_GO_ON}"),
        )

    def call(self, what: PickledCall, key: str) -> Any:
        """Make a call on some member, and return or raise what it does.

        Parameters
        ----------
        what : PickledCall
            Its credentials are handed over first.
        key : str
            Dask's name of the task; unique.

        Raises
        ------
        WorkersDied
            If that happened to all that were given it, time and again.
        ClusterLost
            If there has been no member for `NO_WORKERS_LIMIT_S`, or the scheduler is gone.
        """
        self._hand_over(what.credentials)
        for attempt in range(_CALLS):
            members = self._some_members()
            future = self.client.submit(
                pickled_call.call,
                what,
                key=f"{key}-{attempt}" if attempt else key,
                pure=False,
                workers=sorted(members),
                allow_other_workers=False,
            )
            try:
                outcome = self._outcome(future, members)
            except NotHandedOver:
                # another process has taken a member's place under the same address
                self._ask_anew(members)
                continue
            if outcome is not _NOTHING:
                return outcome
        raise WorkersDied(f"{key} was given to Dask workers {_CALLS} times, and all of them went")

    def map(
        self, function: Callable[..., Any], items: Iterable[Item], **keywords: Any
    ) -> list[Future[Any]]:
        """Call an importable function on members for each item, a few at a time.

        Returns
        -------
        list of concurrent.futures.Future
        """
        # as `Client.map` has it; a call is never taken for another one here
        keywords.pop("pure", None)
        with self._changed:
            threads = 2 * max(1, len(self._members))
        pool = ThreadPoolExecutor(threads, thread_name_prefix="crew")
        calls = [pickled_call.pickled(partial(function, **keywords), item) for item in items]
        name = f"{function.__name__}-{time.time_ns()}"
        futures = [pool.submit(self.call, call, f"{name}-{n}") for n, call in enumerate(calls)]
        pool.shutdown(wait=False)
        return futures

    def close(self, *, is_joined: bool) -> None:
        """Stop looking; workers that stay behind forget the credentials of this run."""
        from distributed.client import ClosedClientError

        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

        async def end() -> None:
            tasks = [*self._watches, *(known.being_asked for known in self._known.values())]
            for task in tasks:
                if task is not None:
                    task.cancel()
            if is_joined and self._handed:
                await self.client.run(
                    handing_over.forget,
                    self._handed,
                    workers=sorted(self._members),
                    on_error="ignore",
                )

        # a cluster that is gone has forgotten them; why it is gone is told by what is raised
        with suppress(ClosedClientError, OSError, RuntimeError):
            self.client.sync(end, callback_timeout=_END_LIMIT_S)

    # Who is there; all of this runs in the client's loop.

    async def _look(self) -> None:
        while self.client.status != "closed":
            # without its scheduler a client tries to come back; it ends calls itself if it cannot
            with suppress(OSError):
                self._note_present(set(await self.client.nthreads()))
            await asyncio.sleep(_LOOK_EVERY_S if self._is_settled else _LOOK_AT_START_S)

    async def _note_loss(self) -> None:
        """Note that the scheduler is gone, which Dask itself says when it gives up.

        It has cancelled all calls by then, and takes new ones while it tries to come back.
        """
        while self.client.status == "running":
            await asyncio.sleep(_LOOK_AT_START_S)
        with self._changed:
            self._is_closed, self._lost = True, _SCHEDULER_GONE
            self._changed.notify_all()

    def _note_present(self, present: set[str]) -> None:
        with self._changed:
            for address in self._known.keys() - present:
                task = self._known.pop(address).being_asked
                if task is not None:
                    task.cancel()
            self._members &= present
            for address in present - self._known.keys():
                self._known[address] = _Known()
                self._ask(address)
            self._changed.notify_all()

    def _ask(self, address: str) -> None:
        self._known[address].being_asked = asyncio.create_task(self._ask_until_known(address))

    async def _ask_until_known(self, address: str) -> None:
        """Ask until the worker answers; it may be stopped, or start under load."""
        worker, known = Worker(self.client, address), self._known[address]
        began = time.monotonic()
        while True:
            try:
                async with asyncio.timeout(ANSWER_LIMIT_S):
                    known.lack = await self._lack(worker, known)
            except OSError:  # of the connection, or the time limit
                if time.monotonic() - began >= ANSWER_LIMIT_S and not known.is_silent:
                    known.is_silent = True
                    self._say(
                        f"the Dask worker at {address} has not answered for {ANSWER_LIMIT_S:g} s; "
                        "it is given no work until it does"
                    )
                await asyncio.sleep(_LOOK_EVERY_S)
                continue
            with self._changed:
                if known.lack or known.fulfilled == len(self._requirements):
                    break
        with self._changed:
            known.being_asked = None
            if not known.lack:
                self._members.add(address)
            elif self._is_settled:
                self._say_left_aside(address)
            self._changed.notify_all()

    async def _lack(self, worker: Worker, known: _Known) -> str:
        for requirement in self._requirements[known.fulfilled :]:
            try:
                lack = await requirement(worker)
            except OSError:
                raise
            except Exception as error:  # noqa: BLE001 - whatever a worker of unknown make answers
                lack = lacks(error)
            if lack:
                return lack
            known.fulfilled += 1
        return ""

    # What threads wait for.

    def _settle(self, expected: int, nobody: Callable[[str], Exception]) -> None:
        """Wait until it is known who is a member."""
        began, first, is_said = time.monotonic(), 0.0, False
        with self._changed:
            self._is_settled = False
            while not self._is_settled:
                asked = [each for each in self._known.values() if each.being_asked]
                now = time.monotonic()
                if self._lost or self._is_closed:
                    lost = self._lost or "the Dask cluster was closed"
                    raise ClusterLost(f"{lost}; {_GO_ON}")
                if self._members:
                    first = first or now
                    is_whole = not asked and len(self._members) >= expected
                    self._is_settled = is_whole or now - first >= _LATECOMERS_S
                elif self._known and not asked:
                    raise UsageError(self._all_lack())
                elif now - began >= START_LIMIT_S:
                    raise nobody(f"{START_LIMIT_S / 60:g} minutes")
                elif now - began >= SAID_AFTER_S and not is_said:
                    is_said = True
                    who = "has answered" if self._known else "has started"
                    self._say(
                        f"no Dask worker {who} within {SAID_AFTER_S:g} s; "
                        f"waiting for one, {START_LIMIT_S / 60:g} minutes at most"
                    )
                self._changed.wait(0 if self._is_settled else _LOOK_AT_START_S)
            for address in self._known:
                self._say_left_aside(address)

    def _all_lack(self) -> str:
        first, *others = self._known
        more = {1: "; and so does another one"}.get(len(others), f"; and so do {len(others)} more")
        return f"the Dask worker at {first} {self._known[first].lack}{more if others else ''}"

    def _say_left_aside(self, address: str) -> None:
        known = self._known[address]
        if known.lack and not known.is_named:
            known.is_named = True
            self._say(f"the Dask worker at {address} is given no work: it {known.lack}")

    def _some_members(self) -> frozenset[str]:
        with self._changed:
            self._changed.wait_for(
                lambda: self._members or self._is_closed, timeout=NO_WORKERS_LIMIT_S
            )
            if self._is_closed or not self._members:
                nobody = (
                    f"for {NO_WORKERS_LIMIT_S:g} s there has been no Dask worker that can be given "
                    "work"
                )
                raise ClusterLost(f"{self._lost or nobody}; {_GO_ON}")
            return frozenset(self._members)

    def _outcome(self, future: DaskFuture[Any], members: frozenset[str]) -> Any:
        """Wait for a call; `_NOTHING` if all who may make it are gone."""
        from distributed.client import FutureCancelledError

        future.add_done_callback(self._wake)
        while True:
            with self._changed:
                self._changed.wait_for(
                    lambda: future.done() or self._is_closed or not members & self._known.keys()
                )
            if not future.done():
                future.cancel()
                return _NOTHING
            try:
                return future.result(timeout=_RESULT_LIMIT_S)
            except TimeoutError:
                if future.status == "error":
                    raise  # the call's own; else its worker went, and with it the result
            except FutureCancelledError as error:
                # Dask cancels all calls before it says that it has lost the scheduler
                if error.reason != "scheduler-connection-lost":
                    raise
                raise ClusterLost(f"{_SCHEDULER_GONE}; {_GO_ON}") from error

    def _wake(self, _future: DaskFuture[Any]) -> None:
        with self._changed:
            self._changed.notify_all()

    def _hand_over(self, names: frozenset[str]) -> None:
        with self._handing:
            missing = names - self._handed
            if missing:
                self.require(holds_credentials(missing))
                self._handed |= missing

    def _ask_anew(self, addresses: Iterable[str]) -> None:
        async def ask() -> None:
            with self._changed:
                for address in self._members.intersection(addresses):
                    self._members.discard(address)
                    self._known[address].fulfilled = 0
                    self._ask(address)

        self.client.sync(ask)
