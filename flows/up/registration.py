"""Tell a Prefect server about pools, deployments, their limits and automations.

It runs in a process of its own (`python -m flows.up.registration FILE`), so that `genre up` itself
needs no Prefect. It reads what to do as JSON from stdin and writes what was done as JSON to FILE;
stdout is Prefect's to print to. Everything may be applied again at any time; what is there already
is brought up to date.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from flows.engine.progress import say
from flows.errors import NotStarted
from flows.up import alerts, prefect_files
from flows.up.pools import POOLS
from flows.up.services import tail

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient

LIMIT_S = 300.0


@dataclass(frozen=True, kw_only=True)
class Registered:
    """What the server was told.

    Attributes
    ----------
    pools, deployments, automations : tuple[str, ...]
        Names.
    alerts : str, optional
        Whom automations tell.
    """

    pools: tuple[str, ...]
    deployments: tuple[str, ...]
    automations: tuple[str, ...]
    alerts: str | None


def register_apart(
    folder: Path,
    *,
    parameters: Mapping[str, str],
    webhook: str | None,
    env: Mapping[str, str],
    logs: Path,
) -> Registered:
    """Call `register` in a process of its own: this one needs no flows all day.

    Parameters
    ----------
    folder, parameters, webhook
        As `register` takes them.
    env : Mapping
        Added to the environment.
    logs : Path
        Folder for its log, for what it applies and for what it answers.

    Raises
    ------
    NotStarted
        If the server does not take everything.
    """
    say("telling the server pools, deployments, limits and automations")
    log, done = logs / "registration.log", logs / "registered.json"
    told = {
        "folder": str(folder),
        "parameters": dict(parameters),
        "applied": str(logs / prefect_files.DEPLOYMENTS),
        "webhook": webhook,
    }
    with log.open("wb") as output:
        ended = subprocess.run(
            [sys.executable, "-m", "flows.up.registration", str(done)],
            input=json.dumps(told).encode(),
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env={**os.environ, **env},
            timeout=LIMIT_S,
            check=False,
            start_new_session=True,
        )
    if ended.returncode != 0:
        raise NotStarted(f"the server did not take everything; {tail(log)}")
    answer = json.loads(done.read_text(encoding="utf-8"))
    names = {name: tuple(answer[name]) for name in ("pools", "deployments", "automations")}
    return Registered(**names, alerts=answer["alerts"])


def register(
    folder: Path, *, parameters: Mapping[str, Any], applied: Path, webhook: str | None
) -> Registered:
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
    return Registered(
        pools=tuple(POOLS),
        deployments=tuple(each["name"] for each in content["deployments"]),
        automations=tuple(each["name"] for each in automations),
        alerts=action.describe_for_cli() if action else None,
    )


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
    """Do what stdin says, and write what was done to the file that is named."""
    done, asked = Path(sys.argv[1]), json.load(sys.stdin)
    registered = register(
        Path(asked["folder"]),
        parameters=asked["parameters"],
        applied=Path(asked["applied"]),
        webhook=asked["webhook"],
    )
    done.write_text(json.dumps(asdict(registered)), encoding="utf-8")


if __name__ == "__main__":
    main()
