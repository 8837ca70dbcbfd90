"""The demo's command where there is no network at all: a namespace with nothing but loopback."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from limits import COMMAND_S

pytestmark = pytest.mark.services

INSIDE = """
ip link set lo up
ip -brief link show up
exec "$@"
"""


def test_the_demo_runs_without_a_network(tmp_path: Path) -> None:
    alone = ["unshare", "--net", "sh", "-c", INSIDE, "sh"]
    if not shutil.which("ip") or subprocess.run([*alone, "true"], check=False).returncode:
        pytest.skip("no network namespace can be made here: that takes root, and iproute2")
    command = [
        sys.executable,
        "-m",
        "flows.command.cli",
        "run",
        "--data",
        "demo",
        "--store",
        "store",
    ]
    home = {"PREFECT_HOME": str(tmp_path / "prefect"), "GENRE_DEMO": str(tmp_path / "demo")}
    done = subprocess.run(
        [*alone, *command, "--network", "notebook", "--epochs", "1", "--json"],
        cwd=tmp_path,
        env={**os.environ, **home},
        capture_output=True,
        text=True,
        timeout=COMMAND_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    interfaces, _, result = done.stdout.partition("\n")
    assert interfaces.split()[0] == "lo"
    assert json.loads(result)["evaluation"]["tracks"] > 0
