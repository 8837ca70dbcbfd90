"""What `genre up` starts: a server, its deployments, and a worker a pool, or nothing of it."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from flows.dashboard import login
from flows.engine import orphans
from flows.engine.progress import say
from flows.errors import UsageError
from flows.results import UpResult
from flows.up import (
    asked_again,
    local_server,
    local_workers,
    passwords,
    prefect_files,
    registration,
    schedules,
    services,
    state,
    supervision,
)
from flows.up.services import SERVER, Service
from flows.up.state import Running
from genre_model.data.built_in import BUILT_IN
from storage.places.address import parse_location
from storage.places.processes import this_process


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What `genre up` is to start.

    Attributes
    ----------
    host : str, optional
        Address of this machine for a server that other machines may reach.
    port : int, optional
        Of the server.
    data, store : str
        What the deployments work on by default.
    scheduler, storage_block : str, optional
        Further ones of their parameters.
    timezone, hour : optional
        Of the schedules, instead of prefect.yaml's.
    pools : tuple[str, ...]
        Of which a worker is started here.
    webhook : str, optional
        Address that automations call.
    replace : bool
        Whether deployments of somebody else may be given something else.
    detach : bool
        Whether it goes on when the command has ended.
    said : frozenset[str]
        Names of the options that were given, and are not defaults.
    """

    host: str | None
    port: int | None
    data: str
    store: str
    scheduler: str | None
    storage_block: str | None
    timezone: str | None
    hour: str | None
    pools: tuple[str, ...]
    webhook: str | None
    replace: bool
    detach: bool
    said: frozenset[str]


def start(asked: Asked) -> Running:
    """Find what an earlier one has started, or start it and write it down.

    Raises
    ------
    UsageError
        If what was asked for cannot be had here.
    NotStarted
        If a server or a worker does not start; nothing is left running.
    """
    api, folder = local_server.api_address(host=asked.host, port=asked.port), state.folder()
    _check_address(asked.webhook)
    if asked.timezone is not None:
        schedules.check_timezone(asked.timezone)
    hour = None if asked.hour is None else schedules.read_hour(asked.hour)
    with state.one_at_a_time(folder):
        found = state.read(folder)
        passwords.log_in(found)
        if found is not None and found.is_whole:
            return _found(asked, api, found, hour=hour)
        if found is not None:
            supervision.end(found)  # what a killed one, or a dead server, has left
        return _start_new(asked, api, folder, hour=hour)


def _found(asked: Asked, api: str, running: Running, *, hour: int | None) -> Running:
    """Return the running one as it is now, if it is what was asked for."""
    wanted = {
        **_parameters(asked),
        **{name: getattr(asked, name) for name in ("timezone", "host", "port")},
        "hour": hour,
        "pools": set(asked.pools),
    }
    named = {name: value for name, value in wanted.items() if name in asked.said}
    if not asked.said & {"host", "port"} and local_server.is_configured():
        named["api"] = api
    asked_again.refuse_another(named, running.result)
    if "webhook" in asked.said and _digest(asked.webhook) != running.webhook:
        raise UsageError(
            "`genre up` is running with another --webhook, or with none; "
            "stop it with `genre down` first, or leave that out"
        )
    result = asked_again.as_it_is(running.result)
    if asked.replace and result.remarks:
        raise UsageError(
            "`genre up` is running, and --replace changes the deployments only when it starts; "
            "stop it with `genre down` first"
        )
    return replace(running, result=replace(result, already_running=True))


def _start_new(asked: Asked, api: str, folder: Path, *, hour: int | None) -> Running:
    began = time.monotonic()
    files, parameters, mark = prefect_files.find_folder(), _parameters(asked), uuid.uuid4().hex
    env = _environment(api, mark)
    file: Path | None = None
    started: list[Service] = []
    if not asked.detach:
        orphans.leave_none()
    try:
        if local_server.answers(api):
            local_server.check_found(api)
        else:
            file = _start_server(asked, api, env=env, folder=folder, started=started)
        registered = registration.register_apart(
            files,
            registration.Wanted(
                parameters=parameters,
                timezone=asked.timezone,
                hour=hour,
                webhook=asked.webhook,
                replace=asked.replace,
            ),
            env=env,
            logs=folder,
        )
        local_workers.start_workers(api, asked.pools, env=env, folder=folder, started=started)
        result = UpResult(
            dashboard=api.removesuffix("/api"),
            api=api,
            server="started" if started[0].role == SERVER else "found",
            password=None if file is None else str(file),
            data=parameters["data"],
            store=parameters["store"],
            scheduler=asked.scheduler,
            storage_block=asked.storage_block,
            **vars(registered),
            processes={each.role: each.process.pid for each in started},
            state=str(folder),
            seconds=round(time.monotonic() - began, 1),
            detached=asked.detach,
        )
        supervisor = None if asked.detach else this_process()
        running = Running(
            mark=mark,
            services=tuple(started),
            supervisor=supervisor,
            result=result,
            webhook=_digest(asked.webhook),
        )
        running.write(folder)
    except BaseException:
        services.stop(started, mark=mark, say=say)
        passwords.forget(folder)
        raise
    return running


def _start_server(
    asked: Asked, api: str, *, env: dict[str, str], folder: Path, started: list[Service]
) -> Path | None:
    """Start a server, note it in `started`, wait until it answers, and log in for all in `env`.

    Returns
    -------
    Path, optional
        The file that holds its password; none where the user has named one.
    """
    is_shared = asked.host is not None
    local_server.check_place(api, is_shared=is_shared)
    word, file = passwords.of_new_server(folder)
    login.log_in(word)
    env[login.CLIENT] = word
    server = local_server.start_server(api, asks_for=word, env=env, folder=folder)
    started.append(server)
    server.wait_until(lambda: local_server.answers(api), limit_s=local_server.START_LIMIT_S)
    return file


def _check_address(webhook: str | None) -> None:
    if webhook is not None and not webhook.startswith(("http://", "https://")):
        raise UsageError(f"--webhook is {webhook!r}; give an address that starts with https://")


def _digest(webhook: str | None) -> str | None:
    """Return what tells an address from another without telling it: it may hold a secret."""
    return None if webhook is None else sha256(webhook.encode()).hexdigest()


def _environment(api: str, mark: str) -> dict[str, str]:
    env = {
        services.MARK: mark,
        "PREFECT_API_URL": api,
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    }
    if password := local_server.password():
        env[login.CLIENT] = password
    return env


def _parameters(asked: Asked) -> Mapping[str, str]:
    """Return what the deployments are given: of the optional ones only those that were named."""
    named = {"scheduler": asked.scheduler, "storage_block": asked.storage_block}
    return {
        "data": _absolute(asked.data),
        "store": parse_location(asked.store).uri,
        **{name: value for name, value in named.items() if value is not None},
    }


def _absolute(data: str) -> str:
    if data == BUILT_IN:
        return data
    location = parse_location(data)
    if location.local_path is not None and not location.local_path.is_dir():
        say(f"there is no folder {location.uri} yet; runs will fail until it is there")
    return location.uri
