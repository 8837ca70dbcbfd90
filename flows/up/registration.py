"""Tell a Prefect server about pools, deployments, their limits and automations.

It runs in a process of its own (`python -m flows.up.registration`), so that `genre up` itself needs
no Prefect: it reads what to do as JSON from stdin and writes what was done as JSON to stdout.
Everything may be applied again at any time; what is there already is brought up to date.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from flows.command import console
from flows.up import alerts, prefect_files
from flows.up.pools import POOLS

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient


def register(
    folder: Path, *, parameters: Mapping[str, Any], applied: Path, webhook: str | None
) -> dict[str, Any]:
    """Apply everything to the server of PREFECT_API_URL.

    Parameters
    ----------
    folder : Path
        With prefect.yaml and automations.yaml.
    parameters : Mapping
        Of all deployments whose flow takes them.
    applied : Path
        Where the prefect.yaml is written that is applied.
    webhook : str, optional
        Address that automations call.

    Returns
    -------
    dict
        `pools`, `deployments`, `automations`, `alerts`: names.
    """
    from prefect.client.orchestration import get_client

    with get_client(sync_client=True) as client:
        for name, limit in POOLS.items():
            _apply_pool(client, name, limit)
        content = prefect_files.deployments(folder, parameters)
        applied.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
        _deploy(applied)
        action = alerts.action(client, webhook=webhook)
        automations = prefect_files.automations(folder)
        for automation in automations:
            alerts.apply(client, automation, action=action)
    return {
        "pools": list(POOLS),
        "deployments": [each["name"] for each in content["deployments"]],
        "automations": [each["name"] for each in automations],
        "alerts": action.describe_for_cli() if action else None,
    }


def _apply_pool(client: SyncPrefectClient, name: str, limit: int | None) -> None:
    from prefect.client.schemas.actions import WorkPoolCreate
    from prefect.exceptions import ObjectAlreadyExists
    from prefect.workers.process import ProcessWorker

    pool = WorkPoolCreate(
        name=name,
        type=ProcessWorker.type,
        base_job_template=ProcessWorker.get_default_base_job_template(),
        concurrency_limit=limit,
    )
    try:
        client.create_work_pool(pool)
    except ObjectAlreadyExists:
        return  # its limit or its type may have been changed on purpose


def _deploy(file: Path) -> None:
    """Run `prefect deploy --all` in this process, which has Prefect imported already."""
    from prefect.cli import app

    sys.argv = ["prefect", "--no-prompt", "deploy", "--all", "--prefect-file", str(file)]
    try:
        app()
    except SystemExit as stop:
        if stop.code:
            raise


def main() -> None:
    """Do what stdin says."""
    asked = json.load(sys.stdin)
    with console.result_stream() as out:
        done = register(
            Path(asked["folder"]),
            parameters=asked["parameters"],
            applied=Path(asked["applied"]),
            webhook=asked["webhook"],
        )
        out.write(json.dumps(done))


if __name__ == "__main__":
    main()
