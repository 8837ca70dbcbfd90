"""What a local Dask worker is started with."""

from __future__ import annotations

import pickle
import subprocess
import sys

from flows.engine.cluster import PRELOADED
from genre_model.frontends import PRESETS

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
