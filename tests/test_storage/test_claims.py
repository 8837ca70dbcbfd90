"""Claims between real processes: one wins, the dead are passed over, the living waited for."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from dataclasses import asdict, replace
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import pytest
from fault_processes import wait_until
from limits import STEP_S

from storage.claims import LEASE_S, Claim, ClaimRecord, read_claims
from storage.errors import Busy, ClaimLost
from storage.places.bucket import Bucket
from storage.places.folder import Folder
from storage.places.location import Location
from storage.places.options import VARIABLE
from storage.places.processes import this_process
from storage.store import Store

WHAT = "features/fma/default-0123abcd"
RACES = 20


@pytest.fixture
def store(tmp_path: Path) -> Location:
    return Store.create(tmp_path / "store").location


@pytest.fixture
def claimed_store(place: Location) -> Location:
    """Make a store on a folder and on S3."""
    return Store.create(place).location


def record(**changes: Any) -> ClaimRecord:
    """Describe the claim of a process on another machine."""
    me = this_process()
    known = ClaimRecord(
        owner="someone",
        host="elsewhere",
        boot="00000000",
        pid=me.pid,
        started=me.started,
        what=WHAT,
        taken=time.time(),
        renewed=time.time(),
    )
    return replace(known, **changes)


def put(store: Location, claim: ClaimRecord) -> Location:
    """Leave a claim there."""
    location = Claim(store, WHAT).location
    location.write_bytes(claim.to_json())
    return location


def dead_process() -> dict[str, Any]:
    """Describe a process of this host that has ended."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    me = this_process()
    ended.wait()
    return {"host": me.host, "boot": me.boot, "pid": ended.pid, "started": me.started}


def holder_process(store: Location, *enter: str) -> subprocess.Popen[str]:
    """Start a process, by way of a command, that takes the claim, says so, and keeps it."""
    code = (
        "import sys, time\n"
        "from storage.claims import Claim\n"
        "from storage.store import Store\n"
        f"with Claim(Store.open(sys.argv[1]).location, {WHAT!r}):\n"
        "    print('taken', flush=True)\n"
        "    time.sleep(float(sys.argv[2]))\n"
    )
    process = subprocess.Popen(
        [*enter, sys.executable, "-c", code, store.uri, "3600"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "taken\n"
    return process


@pytest.mark.whole
class TestHolding:
    def test_it_is_there_while_held_and_gone_afterwards(self, claimed_store: Location) -> None:
        with Claim(claimed_store, WHAT) as claim:
            claim.check()
            found = read_claims(claimed_store)
            assert list(found) == [claim.location.name]
            holder = found[claim.location.name]
            assert (holder.pid, holder.what) == (os.getpid(), WHAT)
            assert f"process {os.getpid()} on {holder.host} since 20" in holder.sentence
            content = json.loads(claim.location.read_bytes())
            assert {"owner", "host", "pid", "taken", "renewed", "lease_s"} <= set(content)
        assert read_claims(claimed_store) == {}
        with Claim(claimed_store, WHAT, wait_s=0) as again:
            again.check()

    def test_it_is_given_back_after_an_error(self, store: Location) -> None:
        with pytest.raises(RuntimeError, match="mine"), Claim(store, WHAT):
            raise RuntimeError("mine")
        assert list((store / "claims").list()) == []

    def test_a_live_one_is_busy(self, claimed_store: Location) -> None:
        with (
            Claim(claimed_store, WHAT),
            pytest.raises(Busy, match=f"held by process {os.getpid()}"),
            Claim(claimed_store, WHAT, wait_s=0),
        ):
            pass

    def test_others_are_free(self, store: Location) -> None:
        with Claim(store, WHAT), Claim(store, "models/x", wait_s=0) as other:
            other.check()

    def test_it_is_renewed_past_its_lease(self, claimed_store: Location) -> None:
        with Claim(claimed_store, WHAT, lease_s=2.0) as claim:
            first = read_claims(claimed_store)[claim.location.name]
            with pytest.raises(Busy), Claim(claimed_store, WHAT, wait_s=3.0):
                pass
            claim.check()
            now = read_claims(claimed_store)[claim.location.name]
        assert now.renewed > first.renewed
        assert now.taken == first.taken

    def test_it_is_waited_for_with_one_sentence(self, store: Location) -> None:
        said: list[str] = []
        taken = threading.Event()

        def hold() -> None:
            with Claim(store, WHAT):
                taken.set()
                time.sleep(0.5)

        thread = threading.Thread(target=hold)
        thread.start()
        assert taken.wait(STEP_S)
        with Claim(store, WHAT, say=said.append) as claim:
            claim.check()
        thread.join()
        assert len(said) == 1
        assert f"{WHAT} is held by process {os.getpid()}" in said[0]


class TestTakingOver:
    def test_a_killed_holder_delays_nobody(self, store: Location) -> None:
        process = holder_process(store)
        with (
            pytest.raises(Busy, match=f"process {process.pid} "),
            Claim(store, WHAT, wait_s=0),
        ):
            pass
        process.send_signal(signal.SIGKILL)
        # the killed process is a zombie still; its lease would run out far later
        with Claim(store, WHAT, wait_s=LEASE_S / 2) as claim:
            claim.check()
        process.wait()

    def test_a_dead_process_of_this_host(self, claimed_store: Location) -> None:
        put(claimed_store, record(**dead_process()))
        with Claim(claimed_store, WHAT, wait_s=0) as claim:
            claim.check()

    def test_a_pid_that_was_given_again(self, store: Location) -> None:
        me = asdict(this_process())
        put(store, record(**{**me, "started": me["started"] - 1000}))
        with Claim(store, WHAT, wait_s=0) as claim:
            claim.check()

    def test_a_live_lease_of_another_host_is_respected(self, claimed_store: Location) -> None:
        put(claimed_store, record(renewed=0.0))
        with (
            pytest.raises(Busy, match="on elsewhere"),
            Claim(claimed_store, WHAT, wait_s=0),
        ):
            pass

    def test_a_lease_that_ran_out(self, store: Location) -> None:
        location = put(store, record())
        assert isinstance(location, Folder)
        minute_ago = time.time() - 61
        os.utime(location.path, (minute_ago, minute_ago))
        with Claim(store, WHAT, wait_s=0) as claim:
            claim.check()

    def test_a_lease_runs_out_while_it_is_watched(self, claimed_store: Location) -> None:
        put(claimed_store, record(lease_s=0.5))
        began = time.monotonic()
        with Claim(claimed_store, WHAT, wait_s=STEP_S) as claim:
            claim.check()
        assert time.monotonic() - began > 0.4

    def test_a_clock_that_is_ahead_does_not_hold_it_forever(self, store: Location) -> None:
        location = put(store, record(lease_s=0.5))
        assert isinstance(location, Folder)
        os.utime(location.path, (time.time() + 9999, time.time() + 9999))
        with Claim(store, WHAT, wait_s=STEP_S) as claim:
            claim.check()

    def test_one_that_is_no_claim_runs_out_too(self, store: Location) -> None:
        Claim(store, WHAT).location.write_bytes(b"{")
        with pytest.raises(Busy), Claim(store, WHAT, lease_s=30, wait_s=0):
            pass
        with Claim(store, WHAT, lease_s=0.3, wait_s=STEP_S) as claim:
            claim.check()


HOLDER_ELSEWHERE = """
import sys, time
import storage.places.processes
storage.places.processes._boot_key = lambda: "00000000"
from storage.claims import Claim
from storage.places.address import parse_location
with Claim(parse_location(sys.argv[2]), sys.argv[1], lease_s=2.0):
    print("taken", flush=True)
    time.sleep(3_600)
"""


@pytest.mark.whole
class TestAnotherHost:
    def test_a_killed_driver_holds_no_longer_than_its_lease(self, claimed_store: Location) -> None:
        options = claimed_store.options if isinstance(claimed_store, Bucket) else {}
        holder = subprocess.Popen(
            [sys.executable, "-c", HOLDER_ELSEWHERE, WHAT, claimed_store.uri],
            env={**os.environ, VARIABLE: json.dumps(options)},
            stdout=subprocess.PIPE,
        )
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"taken\n"
        time.sleep(0.7)
        holder.kill()
        holder.wait()
        last = ClaimRecord.from_json(Claim(claimed_store, WHAT).location.read_bytes())
        assert last is not None
        # well before a lease of the usual length has run out
        with Claim(claimed_store, WHAT, wait_s=LEASE_S / 2) as claim:
            claim.check()
        assert time.time() - last.renewed > 2.0 - 1.1  # a bucket tells whole seconds

    def test_a_holder_in_another_container_is_not_taken_for_dead(self, store: Location) -> None:
        """Its host name and kernel are ours, but its process id means nothing here."""
        apart = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]
        try:
            done = subprocess.run([*apart, "true"], capture_output=True, text=True, check=False)
        except FileNotFoundError:
            pytest.skip("no `unshare` (util-linux) here")
        if done.returncode != 0:
            pytest.skip(f"no process namespaces here: {done.stderr.strip()}")
        holder = holder_process(store, *apart)
        try:
            (found,) = read_claims(store).values()
            assert found.host == this_process().host
            assert found.pid == 1
            assert not found.holder.is_judgeable
            assert not found.holder.is_dead
            with (
                pytest.raises(Busy, match="held by process 1 on"),
                Claim(store, WHAT, wait_s=0),
            ):
                pass
        finally:
            holder.kill()
            holder.wait()


class TestLosing:
    def test_a_lost_claim_is_noticed_and_left_alone(self, claimed_store: Location) -> None:
        with Claim(claimed_store, WHAT, lease_s=0.4) as claim:
            put(claimed_store, record())
            wait_until(lambda: claim._lost, what="the loss is noticed")
            with pytest.raises(ClaimLost, match="run the same command again"):
                claim.check()
        assert ClaimRecord.from_json(claim.location.read_bytes()) == record(
            taken=pytest.approx(time.time(), abs=60), renewed=pytest.approx(time.time(), abs=60)
        )

    @pytest.mark.faults
    def test_a_holder_that_slept_through_its_lease(self, store: Location) -> None:
        process = holder_process(store)
        location = Claim(store, WHAT).location
        assert isinstance(location, Folder)
        process.send_signal(signal.SIGSTOP)
        try:
            old = ClaimRecord.from_json(location.read_bytes())
            assert old is not None
            minute_ago = time.time() - 61
            os.utime(location.path, (minute_ago, minute_ago))
            with Claim(store, WHAT, wait_s=STEP_S) as claim:
                process.send_signal(signal.SIGCONT)
                claim.check()
        finally:
            process.kill()
            process.wait()


def race(store: Location, barrier: Barrier, results: Any, left: list[str]) -> None:
    """Try to take one claim after another at the same moment as others."""
    for number, text in enumerate(left):
        if text and barrier.wait() == 0:
            (store / f"claims/race-{number}.json").write_bytes(text.encode())
        barrier.wait()
        try:
            with Claim(store, f"race-{number}", wait_s=0) as claim:
                results.put(number)
                barrier.wait()  # nobody lets go before all have tried
                claim.check()
        except Busy:
            barrier.wait()


@pytest.fixture(params=["folder", pytest.param("seaweedfs", marks=pytest.mark.services)])
def atomic_store(request: pytest.FixtureRequest, store: Location) -> Location:
    """Give a store of each kind that compares and writes at once, which moto does not."""
    if request.param == "folder":
        return store
    server = request.getfixturevalue("seaweedfs")
    server.make_bucket("tests")
    return Store.create(Bucket("tests", f"races/{uuid.uuid4().hex}", server.options())).location


def test_one_of_three_processes_wins_every_race(atomic_store: Location) -> None:
    dead, late = record(**dead_process()), record(lease_s=-1.0)
    left = ["", dead.to_json().decode(), late.to_json().decode()] * RACES
    spawn = multiprocessing.get_context("spawn")
    barrier, results = spawn.Barrier(3, timeout=STEP_S), spawn.Queue()
    given = (atomic_store, barrier, results, left)
    processes = [spawn.Process(target=race, args=given) for _ in range(3)]
    for process in processes:
        process.start()
    won = [results.get(timeout=STEP_S) for _ in left]
    for process in processes:
        process.join(STEP_S)
        assert process.exitcode == 0
    assert results.empty()
    assert sorted(won) == list(range(3 * RACES))
