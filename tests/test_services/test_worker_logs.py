"""What a Dask worker's code logs is among the run's logs on a real server."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from limits import COMMAND_S
from prefect_server import Server

pytestmark = pytest.mark.services


def test_a_worker_s_records_are_the_shard_s_logs(server: Server) -> None:
    script = Path(__file__).parent / "talkative_flow.py"
    done = subprocess.run(
        [sys.executable, str(script)],
        env=server.env,
        capture_output=True,
        text=True,
        timeout=COMMAND_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (shard,) = server.post("task_runs/filter", {})
    assert shard["name"] == "shard 7"
    logs = server.post("logs/filter", {"logs": {"task_run_id": {"any_": [shard["id"]]}}})
    assert [(each["level"], each["message"]) for each in logs][:3] == [
        (30, "tasks.worker.decoder: the decoder is replaced"),
        (30, "track 1 is short: 1 s decode"),
        (20, "10 windows of 1 tracks in 0.1 s"),
    ]
