"""The Prefect server on a real PostgreSQL: deployments register, and a worker runs one."""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncpg
import pytest
from postgres import postgresql
from prefect_server import finished_run, prefect_server, worker
from tiny_fma import write_tiny_fma

pytestmark = pytest.mark.services


async def states(address: str) -> dict[str, str]:
    """Ask the database itself for the flow runs' states."""
    connection = await asyncpg.connect(address.replace("+asyncpg", ""))
    try:
        found = await connection.fetch("SELECT id::text, state_type::text FROM flow_run")
    finally:
        await connection.close()
    return {line["id"]: line["state_type"] for line in found}


def test_a_deployment_runs_through_a_worker_and_its_run_is_in_the_database(tmp_path: Path) -> None:
    write_tiny_fma(tmp_path / "fma")
    parameters = {"data": str(tmp_path / "fma"), "store": str(tmp_path / "store"), "workers": 1}
    with (
        postgresql() as address,
        prefect_server(
            tmp_path / "prefect", PREFECT_SERVER_DATABASE_CONNECTION_URL=address
        ) as server,
    ):
        for pool in ("cpu", "gpu"):
            server.prefect("work-pool", "create", "--type", "process", pool)
        server.prefect("deploy", "--name", "build-features")
        (deployment,) = server.post("deployments/filter", {})
        started = server.post(
            f"deployments/{deployment['id']}/create_flow_run", {"parameters": parameters}
        )
        with worker(server, "cpu", folder=tmp_path):
            run = finished_run(server, started["id"])
        assert run["state_type"] == "COMPLETED", run["state"]["message"]
        assert asyncio.run(states(address)) == {started["id"]: "COMPLETED"}
    assert not (tmp_path / "prefect" / "prefect.db").exists()
