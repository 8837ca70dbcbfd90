"""Tell a Prefect server about pools, deployments, their limits and automations.

It runs in a process of its own (`python -m flows.up.registration FILE`), so that `genre up` itself
needs no Prefect. It reads what to do as JSON from stdin and writes what was done as JSON to FILE;
stdout is Prefect's to print to. Everything may be applied again at any time; what is there already
is brought up to date, unless it is somebody else's.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from flows.engine.progress import say
from flows.errors import NotStarted, UsageError
from flows.up import alerts, deployed, prefect_files, private, schedules
from flows.up.ownership import Owner
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
    cron: str | None = None
    timezone: str | None = None


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What the server is to be told.

    Attributes
    ----------
    parameters : Mapping
        Of all deployments whose flow takes them.
    timezone, hour : optional
        Of the schedules, instead of prefect.yaml's.
    webhook : str, optional
        Address that automations call.
    replace : bool
        Whether deployments of somebody else may be given something else.
    """

    parameters: Mapping[str, str]
    timezone: str | None = None
    hour: int | None = None
    webhook: str | None = None
    replace: bool = False


def register_apart(
    folder: Path, wanted: Wanted, *, env: Mapping[str, str], logs: Path
) -> Registered:
    """Call `register` in a process of its own: this one needs no flows all day.

    Parameters
    ----------
    folder, wanted
        As `register` takes them.
    env : Mapping
        Added to the environment.
    logs : Path
        The folder of this `genre up`: for its log, for what it applies and for what it answers.

    Raises
    ------
    UsageError
        If the deployments are somebody else's and would be changed; nothing was.
    NotStarted
        If the server does not take everything.
    """
    say("telling the server pools, deployments, limits and automations")
    log, done = logs / "registration.log", logs / "registered.json"
    told = {
        "folder": str(folder),
        "applied": str(logs / prefect_files.DEPLOYMENTS),
        **asdict(wanted),
    }
    with open(log, "wb", opener=private.opener) as output:
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
    if "refused" in answer:
        raise UsageError(answer["refused"])
    lists = {name: tuple(value) for name, value in answer.items() if isinstance(value, list)}
    return Registered(**{**answer, **lists})


def register(folder: Path, wanted: Wanted, *, applied: Path) -> Registered:
    """Apply everything to the server of PREFECT_API_URL.

    Parameters
    ----------
    folder : Path
        With prefect.yaml and automations.yaml.
    wanted : Wanted
    applied : Path
        Where the prefect.yaml is written that is applied: in the folder of this `genre up`.

    Raises
    ------
    UsageError
        If the deployments are somebody else's and would be changed; nothing was.
    """
    from prefect.client.orchestration import get_client

    content = prefect_files.deployments(
        folder, wanted.parameters, timezone=wanted.timezone, hour=wanted.hour
    )
    owner = Owner.of(applied.parent)
    with get_client(sync_client=True) as client:
        is_its_own = deployed.check(
            client, content, owner=owner, webhook=wanted.webhook, replace=wanted.replace
        )
        for name, limit in POOLS.items():
            _apply_pool(client, name, limit)
        private.write(applied, yaml.safe_dump(content, sort_keys=False))
        _deploy(applied)
        deployed.refuse_unknown_parameters(client, content)
        action = alerts.action(client, webhook=wanted.webhook)
        automations = prefect_files.automations(folder)
        for automation in automations:
            alerts.apply(client, automation, action=action)
        if is_its_own:
            deployed.write_owner(client, owner)
    nightly = schedules.nightly(content)
    return Registered(
        pools=tuple(POOLS),
        deployments=tuple(each["name"] for each in content["deployments"]),
        automations=tuple(each["name"] for each in automations),
        alerts=action.describe_for_cli() if action else None,
        cron=nightly.cron if nightly else None,
        timezone=nightly.timezone if nightly else None,
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
    folder, applied = Path(asked.pop("folder")), Path(asked.pop("applied"))
    # `genre up` says whether it may replace; called by hand this does what it is told.
    wanted = Wanted(**{"replace": True, **asked})
    try:
        registered = register(folder, wanted, applied=applied)
    except UsageError as refusal:
        private.write(done, json.dumps({"refused": str(refusal)}))
    else:
        private.write(done, json.dumps(asdict(registered)))


if __name__ == "__main__":
    main()
