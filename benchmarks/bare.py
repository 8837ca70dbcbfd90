"""A plain process that writes shards, with no Dask and no Prefect: what `benchmarks.flow` starts.

``python -m benchmarks.bare JOBS FIRST STEP`` takes every STEP-th job of the pickled list JOBS from
the FIRST on. It says `ready` once everything is imported, waits for a line, writes its shards, and
ends with one JSON object: the seconds in shards, and when the last manifest was written by the
clock that all processes of a machine share.
"""

from __future__ import annotations

import json
import pickle
import sys
import time
from pathlib import Path

from tasks.worker.shards import ShardJob, write_shard


def main() -> None:
    """Write the shards."""
    every: list[ShardJob] = pickle.loads(Path(sys.argv[1]).read_bytes())
    jobs = every[int(sys.argv[2]) :: int(sys.argv[3])]
    print("ready", flush=True)
    sys.stdin.readline()
    seconds = sum(write_shard(job).seconds for job in jobs)
    print(json.dumps({"worker_seconds": seconds, "ended": time.monotonic()}), flush=True)


if __name__ == "__main__":
    main()
