"""Workers that lack this package or have another one; and no log of any worker has a secret."""

from __future__ import annotations

import base64
import os
import re
import shutil
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from distributed import Client
from fault_processes import Started, nothing_left, start, wait_until
from limits import STEP_S

import tasks
from flows.engine.cluster import check_cluster, dask_crew
from flows.errors import UsageError
from storage.errors import StorageError
from storage.places.bucket import Bucket
from tasks.worker import pickled_call
from tasks.worker.installed import ROOMS

pytestmark = pytest.mark.faults

HOUSE = Path(tasks.__path__[0]).parent
SECRET = "planted/secret+value"


@dataclass
class Machines:
    """A scheduler and workers, each started by hand with the path that it is to have."""

    folder: Path
    stack: ExitStack
    address: str = ""
    processes: list[Started] = field(default_factory=list)

    def start_scheduler(self, path: tuple[Path, ...] = (HOUSE,)) -> None:
        process = self._start("dask_scheduler", "--host", "127.0.0.1", "--port", "0", path=path)
        wait_until(lambda: "Scheduler at:" in process.said, limit_s=STEP_S, what="a scheduler")
        (self.address,) = re.findall(r"Scheduler at:\s+(tcp://\S+)", process.said)

    def start_worker(self, *path: Path) -> str:
        """Start a worker that finds this package in `path` only, and give its address."""
        arguments = [self.address, "--nthreads", "1", "--no-nanny"]
        process = self._start("dask_worker", *arguments, path=path)
        wait_until(lambda: "Registered to:" in process.said, limit_s=STEP_S, what="a worker")
        (address,) = re.findall(r"Start worker at:\s+(tcp://\S+)", process.said)
        return address

    def _start(self, what: str, *arguments: str, path: tuple[Path, ...] = (HOUSE,)) -> Started:
        # an interpreter that knows the libraries, but not the line that makes this package found
        libraries = sysconfig.get_path("purelib")
        process = start(
            [
                str(Path(sys.executable).resolve()),
                *("-m", f"distributed.cli.{what}", *arguments, "--no-dashboard"),
            ],
            folder=self.folder,
            PYTHONPATH=os.pathsep.join([*map(str, path), libraries]),
            DASK_LOGGING__DISTRIBUTED="debug",
        )
        self.processes.append(process)
        return self.stack.enter_context(nothing_left(process))


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[Machines]:
    with ExitStack() as stack:
        found = Machines(tmp_path / "machines", stack)
        found.start_scheduler()
        yield found


def copy_of_the_package(folder: Path) -> Path:
    for room in ROOMS:
        shutil.copytree(HOUSE / room, folder / room, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def test_a_worker_without_the_package_is_named(machines: Machines) -> None:
    address = machines.start_worker()
    with pytest.raises(
        UsageError, match=rf"^the Dask worker at {address} lacks fma-genre \(No module named 'tasks"
    ):
        check_cluster(scheduler=machines.address)


def test_an_image_that_was_not_built_anew_is_named(machines: Machines, tmp_path: Path) -> None:
    older = copy_of_the_package(tmp_path / "older")
    path = older / "genre_model" / "signal" / "audio.py"
    path.write_text(path.read_text() + "# as it was\n")
    address = machines.start_worker(older)
    with pytest.raises(
        UsageError,
        match=rf"{address} has code of fma-genre \w+ where this command has \w+; install the same",
    ):
        check_cluster(scheduler=machines.address)


def test_a_copy_of_the_same_is_fit(machines: Machines, tmp_path: Path) -> None:
    machines.start_worker(copy_of_the_package(tmp_path / "copy"))
    check_cluster(scheduler=machines.address)


def test_another_version_of_a_library_is_named(machines: Machines, tmp_path: Path) -> None:
    told = tmp_path / "libraries" / "soxr-0.5.0.dist-info"
    told.mkdir(parents=True)
    (told / "METADATA").write_text("Metadata-Version: 2.1\nName: soxr\nVersion: 0.5.0\n")
    address = machines.start_worker(told.parent, HOUSE)
    with pytest.raises(UsageError, match=rf"{address} has soxr 0.5.0 where this command has 1"):
        check_cluster(scheduler=machines.address)


def test_a_bad_one_that_joins_late_is_left_aside(machines: Machines) -> None:
    good = machines.start_worker(HOUSE)
    said: list[str] = []
    with dask_crew(scheduler=machines.address, say=said.append) as crew:
        bad = machines.start_worker()
        wait_until(lambda: bool(said), what="the bad one is named")
        assert said[0].startswith(f"the Dask worker at {bad} is given no work: it lacks fma-genre")
        call = pickled_call.pickled(divmod, 17, 5)
        assert [crew.call(call, f"divide-{n}") for n in range(4)] == [(3, 2)] * 4
        assert crew.size == 1
        assert set(crew.client.nthreads()) == {good, bad}


def refuse(place: Bucket) -> None:
    place.read_bytes()


def test_no_log_and_no_event_has_a_secret(machines: Machines, bucket: Bucket) -> None:
    """At level DEBUG Dask logs every message; and calls fail in each way that they can."""
    place = replace(bucket, options={**bucket.options, "key": "a-key", "secret": SECRET}) / "x"
    machines.start_worker(HOUSE)
    machines.start_worker()
    said: list[str] = []
    with dask_crew(scheduler=machines.address, say=said.append) as crew:
        crew.call(pickled_call.pickled(Bucket.write_bytes, place, b"content"), "write")
        assert crew.call(pickled_call.pickled(Bucket.read_bytes, place), "read") == b"content"
        with pytest.raises(StorageError):
            crew.call(pickled_call.pickled(Bucket.read_bytes, place / "none"), "raises")
        with pytest.raises(ModuleNotFoundError):
            crew.call(pickled_call.pickled(refuse, place), "cannot-be-unpickled")
        with pytest.raises(Exception, match=r"Error during deserialization"):
            crew.client.submit(refuse, place, pure=False).result(timeout=STEP_S)
        told = str([crew.client.get_events(), crew.client.get_scheduler_logs(), said])
    with Client(machines.address, set_as_default=False) as client:
        told += str(client.get_worker_logs())
    secrets = [SECRET, repr(SECRET), base64.b64encode(SECRET.encode()).decode()]
    logs = {"told": told, **{str(each.err): each.said for each in machines.processes}}
    assert all("DEBUG" in each.said for each in machines.processes)
    assert [name for name, log in logs.items() if any(each in log for each in secrets)] == []


def test_a_scheduler_without_the_package_is_named(tmp_path: Path) -> None:
    """It unpickles what passes through it, though not the job."""
    with ExitStack() as stack:
        machines = Machines(tmp_path / "machines", stack)
        machines.start_scheduler(())
        with pytest.raises(UsageError, match=rf"^the Dask scheduler at {machines.address} lacks f"):
            check_cluster(scheduler=machines.address)
