"""Who is writing what: a claim that one process holds at a time, with a lease.

    claims/<what>.json   {"owner", "host", "boot", "pid", "started", "what", "taken", "renewed",
                          "lease_s", "released"}

A claim is made by an exclusive create, and changes hands only by compare-and-swap, so that of
several that try at once one wins. While it is held, a thread renews it every quarter of its lease.

It may be taken over
- at once, if it was released, or its process is dead on this host;
- when it was not renewed for a whole lease: by the store's own clock (the age of the file or
  object, so that clocks of different machines need not agree), or because this process watched
  it unchanged for that long.

A holder that slept through its lease finds that out at its next renewal: `check` raises.
"""

import contextlib
import json
import math
import os
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Annotated, Any, Self

from msgspec import Meta

from storage.errors import AlreadyThere, Busy, ClaimLost, Damaged, NotFound, StorageError
from storage.places.location import Location
from storage.places.processes import ProcessIdentity, this_process
from storage.proof.documents import parse_document, read_bounded

LEASE_S = 60.0
_RENEWALS_A_LEASE = 4
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 2.0

Time = Annotated[float, Meta(ge=0, le=2**37)]
"""Seconds since the epoch, of a year that can be told."""
Text = Annotated[str, Meta(max_length=4096)]


@dataclass(frozen=True, kw_only=True)
class ClaimRecord:
    """What a claim's file says.

    Attributes
    ----------
    owner : str
        A fresh uuid for every claim that is taken.
    host, boot, pid, started
        The holder (`storage.places.processes.ProcessIdentity`).
    what : str
    taken, renewed : float
        Seconds since the epoch by the holder's clock; for people, never compared.
    lease_s : float
    released : bool
    """

    owner: Text
    host: Text
    boot: Text
    pid: Annotated[int, Meta(ge=0, le=2**31 - 1)]
    started: Time
    what: Text
    taken: Time
    renewed: Time
    lease_s: Annotated[float, Meta(le=24 * 3600)] = LEASE_S
    released: bool = False

    @property
    def holder(self) -> ProcessIdentity:
        """The process that holds it."""
        return ProcessIdentity(host=self.host, boot=self.boot, pid=self.pid, started=self.started)

    @property
    def sentence(self) -> str:
        """Say who holds what since when."""
        return f"{self.what} is held by {self.who}"

    @property
    def who(self) -> str:
        """Name the holder, and since when it has been one."""
        since = datetime.fromtimestamp(self.taken, UTC).isoformat(timespec="seconds")
        return f"process {self.pid} on {self.host} since {since}"

    def to_json(self) -> bytes:
        """Write as JSON."""
        return json.dumps(asdict(self), indent=1).encode() + b"\n"

    @classmethod
    def from_json(cls, data: bytes) -> "ClaimRecord | None":
        """Read; None if it is no claim, which then counts as free after a lease."""
        try:
            return parse_document(data, cls, where="The claim")
        except Damaged:
            return None


def claim_location(root: Location, what: str) -> Location:
    """Place the claim on `what`, whose slashes become dashes."""
    return root / "claims" / f"{what.replace('/', '-')}.json"


class Claim:
    """The right to write one thing, held from `with` to its end.

    Parameters
    ----------
    root : Location
        A store, or another folder that claims lie below.
    what : str
        For example `features/fma/default-1a2b3c4d`.
    lease_s : float
        Seconds without renewal after which another process may take it.
    wait_s : float | None
        Seconds to wait for a live holder: None as long as it takes, 0 not at all.
    say : Callable[[str], None], optional
        Called once for every holder that is waited for, with a sentence that names it.

    Raises
    ------
    Busy
        On entering, if a live process still holds it after `wait_s`.

    Examples
    --------
    >>> with Claim(store, "features/fma/default-1a2b3c4d", say=print) as claim:  # doctest: +SKIP
    ...     claim.check()
    """

    def __init__(
        self,
        root: Location,
        what: str,
        *,
        lease_s: float = LEASE_S,
        wait_s: float | None = None,
        say: Callable[[str], None] | None = None,
    ) -> None:
        self.location = claim_location(root, what)
        self.what = what
        self.lease_s = lease_s
        self.wait_s = wait_s
        self.say = say or _say_nothing
        self._record: ClaimRecord | None = None
        self._etag = ""
        self._lost = ""
        self._swap = threading.Lock()
        self._stop = threading.Event()
        self._renewer: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._take()
        self._stop.clear()
        self._renewer = threading.Thread(target=self._renew, name="claim", daemon=True)
        self._renewer.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop.set()
        if self._renewer is not None:
            self._renewer.join()
        # a claim that cannot be given back now runs out by itself
        with contextlib.suppress(StorageError):
            self._release()

    def check(self) -> None:
        """Raise ClaimLost if another process took the claim over."""
        if self._lost:
            raise ClaimLost(
                f"{self.what} was lost to another process ({self._lost}): "
                "this one was not heard of for a whole lease; run the same command again."
            )

    def _take(self) -> None:
        watch = _Watch(lease_s=self.lease_s)
        said = ""
        until = time.monotonic() + (math.inf if self.wait_s is None else self.wait_s)
        pause_s = _FIRST_PAUSE_S
        while not self._try_to_take(watch):
            holder = watch.record
            left_s = until - time.monotonic()
            if left_s <= 0:
                raise Busy(f"{watch.sentence}; wait until it is done, or end it.")
            if holder is not None and holder.owner != said:
                said = holder.owner
                self.say(f"{holder.sentence}; waiting for it.")
            time.sleep(min(pause_s, left_s))
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    def _try_to_take(self, watch: "_Watch") -> bool:
        mine = self._fresh_record()
        try:
            data, etag = self.location.read_with_etag()
        except NotFound:
            return self._create(mine)
        watch.see(ClaimRecord.from_json(data), etag)
        if not watch.is_free(self.location):
            return False
        swapped = self.location.replace_if(mine.to_json(), etag=etag)
        return self._hold(mine, swapped)

    def _create(self, mine: ClaimRecord) -> bool:
        try:
            return self._hold(mine, self.location.create(mine.to_json()))
        except AlreadyThere:
            return False

    def _hold(self, record: ClaimRecord, etag: str | None) -> bool:
        if etag is None:
            return False
        self._record, self._etag, self._lost = record, etag, ""
        return True

    def _fresh_record(self) -> ClaimRecord:
        me = this_process()
        now = time.time()
        return ClaimRecord(
            owner=uuid.uuid4().hex,
            host=me.host,
            boot=me.boot,
            pid=os.getpid(),
            started=me.started,
            what=self.what,
            taken=now,
            renewed=now,
            lease_s=self.lease_s,
        )

    def _renew(self) -> None:
        held_until = time.monotonic() + self.lease_s
        while not self._stop.wait(self.lease_s / _RENEWALS_A_LEASE):
            try:
                if not self._swap_in(renewed=time.time()):
                    self._lost = "it has another owner"
                    return
                held_until = time.monotonic() + self.lease_s
            except StorageError as error:  # the store is out of reach; the lease is still ours
                if time.monotonic() > held_until:
                    self._lost = str(error)
                    return

    def _swap_in(self, **changes: Any) -> bool:
        with self._swap:
            if self._record is None:
                return False
            record = replace(self._record, **changes)
            etag = self.location.replace_if(record.to_json(), etag=self._etag)
            return self._hold(record, etag)

    def _release(self) -> None:
        if not self._lost and self._swap_in(released=True, renewed=time.time()):
            self.location.delete_if(etag=self._etag)
        self._record = None


class _Watch:
    """What one process saw of a claim while it waited."""

    def __init__(self, *, lease_s: float) -> None:
        self.record: ClaimRecord | None = None
        self._lease_s = lease_s
        self._etag = ""
        self._unchanged_since = 0.0

    def see(self, record: ClaimRecord | None, etag: str) -> None:
        self.record = record
        if etag != self._etag:
            self._etag = etag
            self._unchanged_since = time.monotonic()

    @property
    def sentence(self) -> str:
        return self.record.sentence if self.record else "The claim is held by an unknown process"

    def is_free(self, location: Location) -> bool:
        lease_s = self.record.lease_s if self.record else self._lease_s
        if self.record and (self.record.released or self.record.holder.is_dead):
            return True
        if time.monotonic() - self._unchanged_since > lease_s:
            return True
        try:
            return location.age() > lease_s
        except NotFound:
            return False


def living_holder(root: Location, what: str) -> ClaimRecord | None:
    """Read who holds the claim on `what`; None if nobody does who may be alive.

    Nothing is written but, where the holder is on another host and in a folder, a file for the
    folder's own clock; where that may not be, the holder counts as alive.
    """
    place = claim_location(root, what)
    try:
        record = ClaimRecord.from_json(read_bounded(place))
    except NotFound:
        return None
    if record is None or record.released or record.holder.is_dead:
        return None
    if record.holder.is_judgeable:
        return record
    with contextlib.suppress(StorageError):
        if place.age() > record.lease_s:
            return None
    return record


def read_claims(root: Location) -> Mapping[str, ClaimRecord]:
    """List the claims that are held, by file name; also those whose holder is dead."""
    folder = root / "claims"
    found = {}
    for entry in folder.list():
        with contextlib.suppress(NotFound, Damaged):
            data = read_bounded(folder / entry.name)
            record = ClaimRecord.from_json(data)
            if record is not None and not record.released:
                found[entry.name] = record
    return found


def _say_nothing(sentence: str) -> None:
    """Drop the sentence."""
