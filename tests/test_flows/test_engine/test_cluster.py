"""What a local Dask worker is started with, and what is taken for a scheduler."""

from __future__ import annotations

import os
import pickle
import socket
import subprocess
import sys

import pytest
from limits import TRY_S

from flows.engine.cluster import check_cluster, dask_client
from flows.engine.local.processes import PRELOADED
from flows.errors import UsageError
from genre_model.frontends import PRESETS

pytestmark = pytest.mark.whole

FIRST_JOB = """
import importlib, pickle, sys

for name in sys.argv[1].split(","):
    importlib.import_module(name)
before = set(sys.modules)
pickle.load(sys.stdin.buffer)
print(*sorted(set(sys.modules) - before))
"""


def test_a_worker_imports_nothing_while_its_first_shard_waits() -> None:
    """What a job holds is unpickled before its clock starts, so the clock would not show it."""
    for name, frontend in PRESETS.items():
        done = subprocess.run(
            [sys.executable, "-c", FIRST_JOB, ",".join(PRELOADED)],
            input=pickle.dumps(frontend.build()),
            stdout=subprocess.PIPE,
            check=True,
        )
        assert done.stdout.split() == [], name


def test_what_listens_there_and_is_no_scheduler_is_not_waited_for_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said: list[str] = []
    monkeypatch.setattr("flows.engine.cluster.CONNECT_LIMIT_S", 2.0)
    monkeypatch.setattr("flows.engine.cluster.SAID_AFTER_S", 0.5)
    monkeypatch.setattr("flows.engine.cluster.show_once", said.append)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(UsageError, match=f"no Dask scheduler answers at {address}"):
            check_cluster(scheduler=address)
    (sentence,) = said
    assert sentence.startswith(f"the Dask scheduler at {address} has not answered within 0.5 s; ")


def test_a_scheduler_may_write_as_much_as_it_likes() -> None:
    """A pipe that nobody read took some 190 kB, and then stopped all that the run had started."""
    with dask_client(workers=1) as client:
        for _ in range(16):
            client.run_on_scheduler(os.write, 2, bytes(65_536))
        assert client.submit(sum, (1, 2)).result(timeout=TRY_S) == 3
