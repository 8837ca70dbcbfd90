"""A `genre up` that is asked for while one runs: what is so now, and what it cannot be given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from flows.errors import UsageError
from flows.results import UpResult
from flows.up import local_server, ownership, schedules
from flows.up.ownership import Owner

_PARAMETERS = ("data", "store", "scheduler", "storage_block")
_WORKER = "worker "
_WHOLE = "full-run"


def refuse_another(wanted: Mapping[str, object], running: UpResult) -> None:
    """Refuse to find a running one that is not what was asked for.

    Parameters
    ----------
    wanted : Mapping
        Option -> value, of those that were given: any of `data`, `store`, `scheduler`,
        `storage_block`, `timezone`, `hour`, `host`, `port`, `pools`, `api`.
    running : UpResult

    Raises
    ------
    UsageError
        With every option that differs.
    """
    address = urlsplit(running.api)
    has: dict[str, object] = {
        **{name: getattr(running, name) for name in (*_PARAMETERS, "timezone", "hour", "api")},
        "host": address.hostname,
        "port": address.port,
        "pools": {
            role.removeprefix(_WORKER) for role in running.processes if role.startswith(_WORKER)
        },
    }
    others = [name for name, value in wanted.items() if value != has[name]]
    if others:
        raise UsageError(
            f"`genre up` is running with {_listed(others, has)}, not with "
            f"{_listed(others, wanted)}; stop it with `genre down` first, or leave that out"
        )


def as_it_is(result: UpResult) -> UpResult:
    """Return what the server's deployments are now: somebody may have changed them.

    Parameters
    ----------
    result : UpResult
        What they were when they were deployed.
    """
    try:
        found = _deployments(result)
        variable = local_server.ask(
            result.api, "variables/filter", {"variables": {"name": {"any_": [ownership.VARIABLE]}}}
        )
    except (httpx.HTTPError, ValueError):
        return replace(result, remarks=(f"the server at {result.api} does not answer now",))
    now = _now(result, found)
    remarks = _changes(result, now, found)
    if not remarks:
        return now
    owner = Owner.read(variable[0]["value"]) if variable else None
    if owner is not None and owner.id != ownership.own_id(Path(result.state)):
        remarks.append(f"the deployments are now those of `genre up` by {owner}")
    remarks.append("`genre down`, then `genre up --replace` makes them as they were")
    return replace(now, remarks=tuple(remarks))


def _deployments(result: UpResult) -> Mapping[str, Mapping[str, Any]]:
    names = {"name": {"any_": list(result.deployments)}}
    asked = {"deployments": names, "flows": names}  # a flow is named as its deployment
    found = local_server.ask(result.api, "deployments/filter", asked)
    return {each["name"]: each for each in found}


def _now(result: UpResult, found: Mapping[str, Mapping[str, Any]]) -> UpResult:
    names = tuple(name for name in result.deployments if name in found)
    if (whole := found.get(_WHOLE)) is None:
        return replace(result, deployments=names, cron=None, timezone=None)
    given = {name: whole["parameters"].get(name) for name in _PARAMETERS}
    nightly = ownership.schedules_there(whole).get(schedules.NIGHTLY)
    return replace(
        result,
        deployments=names,
        **given,
        cron=nightly.cron if nightly else None,
        timezone=nightly.timezone if nightly else None,
    )


def _changes(result: UpResult, now: UpResult, found: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Say what is no longer so, a sentence each."""
    said = [
        f"the deployment {name} is no longer on the server"
        for name in result.deployments
        if name not in found
    ]
    if _WHOLE in found:
        said += [
            f"{name} of {_WHOLE} is {_shown(getattr(now, name))}, no longer "
            f"{_shown(getattr(result, name))}"
            for name in (*_PARAMETERS, "cron", "timezone")
            if getattr(now, name) != getattr(result, name)
        ]
    said += [
        f"{name} of {each} is {_shown(its['parameters'][name])}, no longer "
        f"{_shown(getattr(result, name))}"
        for each, its in found.items()
        for name in _PARAMETERS
        if each != _WHOLE
        and name in its["parameters"]
        and its["parameters"][name] != getattr(result, name)
    ]
    return said


def _listed(names: list[str], values: Mapping[str, object]) -> str:
    return " and ".join(f"{_flag(name)} {_shown(values[name])}" for name in names)


def _flag(name: str) -> str:
    if name == "api":
        return "PREFECT_API_URL"
    return "--pool" if name == "pools" else f"--{name.replace('_', '-')}"


def _shown(value: object) -> str:
    if isinstance(value, set):
        return ", ".join(sorted(value)) or "none"
    return "none" if value is None else str(value)
