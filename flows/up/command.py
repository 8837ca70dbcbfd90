"""`genre up` and `genre down`: a server, its deployments, and a worker a pool on this machine."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.command import console, progress, render
from flows.engine import orphans
from flows.errors import NotStarted, UsageError
from flows.up import local_server, prefect_files, services, state
from flows.up.local_workers import start_workers
from flows.up.services import Service
from flows.up.state import Running
from storage.places.address import parse_location
from storage.places.processes import ProcessIdentity, this_process

REGISTER_LIMIT_S = 300.0
SUPERVISOR_LIMIT_S = 30.0


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What `genre up` is to start.

    Attributes
    ----------
    api : str
        Address of the server's API.
    is_shared : bool
        Whether other machines may reach it.
    folder : Path
        For logs and state.
    data, store : str
        What the deployments work on by default.
    parameters : Mapping
        Further ones of theirs, as `scheduler` and `storage_block`.
    pools : tuple[str, ...]
        Of which a worker is started here.
    webhook : str, optional
        Address that automations call.
    is_detached : bool
        Whether it goes on when the command has ended.
    """

    api: str
    is_shared: bool
    folder: Path
    data: str
    store: str
    parameters: Mapping[str, str]
    pools: tuple[str, ...]
    webhook: str | None
    is_detached: bool


def up(
    *,
    as_json: bool,
    host: str | None,
    port: int | None,
    scheduler: str | None,
    storage_block: str | None,
    detach: bool,
    **options: Any,
) -> None:
    """Run `genre up`: start what is missing, and with `detach` leave it running."""
    with console.result_stream() as out:
        progress.enable()
        api = local_server.api_address(host=host, port=port)
        folder = local_server.prefect_home() / state.FOLDER
        given = {"scheduler": scheduler, "storage_block": storage_block}
        asked = Asked(
            api=api,
            is_shared=host is not None,
            folder=folder,
            parameters={name: value for name, value in given.items() if value is not None},
            is_detached=detach,
            **options,
        )
        with state.one_at_a_time(folder):
            running = state.read(folder)
            found = running is not None and running.is_whole
            if running is None or not found:
                if running is not None:
                    _stop(running)  # what a killed one, or a dead server, has left
                running = _start(asked)
        result = {**running.result, "already_running": found, "detached": detach}
        console.emit(result, as_json=as_json, show=lambda to: render.up(result, to), to=out)
        if not found and not detach:
            _serve(running, folder)


def down(*, as_json: bool) -> None:
    """Run `genre down`: stop what `genre up` has started, and nothing else."""
    with console.result_stream() as out:
        progress.enable()
        folder = local_server.prefect_home() / state.FOLDER
        with state.one_at_a_time(folder):
            running = state.read(folder)
            stopped = _stop(running) if running else []
            state.forget(folder)
        result = {"stopped": stopped, "state": str(folder)}
        console.emit(result, as_json=as_json, show=lambda to: render.down(result, to), to=out)


def _start(asked: Asked) -> Running:
    """Start everything and write it down; on an error nothing is left running."""
    began = time.monotonic()
    _check_address(asked.webhook)
    files = prefect_files.find_folder()
    parameters = {
        "data": _absolute(asked.data),
        "store": parse_location(asked.store).uri,
        **asked.parameters,
    }
    mark = uuid.uuid4().hex
    env = {
        services.MARK: mark,
        "PREFECT_API_URL": asked.api,
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    }
    if password := local_server.password():
        env["PREFECT_API_AUTH_STRING"] = password
    started: list[Service] = []
    if not asked.is_detached:
        orphans.leave_none()
    try:
        if not local_server.answers(asked.api):
            server = local_server.start_server(
                asked.api, is_shared=asked.is_shared, env=env, folder=asked.folder
            )
            started.append(server)
            local_server.wait_for_server(asked.api, server)
        done = _register(asked, files, parameters, env=env)
        start_workers(asked.api, asked.pools, env=env, folder=asked.folder, started=started)
        result = {
            "dashboard": asked.api.removesuffix("/api"),
            "api": asked.api,
            "server": "started" if started[0].role == services.SERVER else "found",
            **parameters,
            **done,
            "processes": {each.role: each.process.pid for each in started},
            "state": str(asked.folder),
            "seconds": round(time.monotonic() - began, 1),
        }
        supervisor = None if asked.is_detached else this_process()
        running = Running(mark=mark, services=tuple(started), supervisor=supervisor, result=result)
        running.write(asked.folder)
    except BaseException:
        services.stop(started, mark=mark, say=progress.say)
        raise
    return running


def _check_address(webhook: str | None) -> None:
    if webhook is not None and not webhook.startswith(("http://", "https://")):
        raise UsageError(f"--webhook is {webhook!r}; give an address that starts with https://")


def _absolute(data: str) -> str:
    from flows.engine.data import BUILT_IN  # with pandas, which only a real start needs

    if data == BUILT_IN:
        return data
    location = parse_location(data)
    if location.local_path is not None and not location.local_path.is_dir():
        progress.say(f"there is no folder {location.uri} yet; runs will fail until it is there")
    return location.uri


def _register(
    asked: Asked, files: Path, parameters: Mapping[str, str], *, env: Mapping[str, str]
) -> dict[str, Any]:
    """Call `flows.up.registration` in a process of its own: this one needs no flows all day."""
    progress.say("telling the server pools, deployments, limits and automations")
    log = asked.folder / "registration.log"
    told = {
        "folder": str(files),
        "parameters": dict(parameters),
        "applied": str(asked.folder / prefect_files.DEPLOYMENTS),
        "webhook": asked.webhook,
    }
    with log.open("wb") as errors:
        done = subprocess.run(
            [sys.executable, "-m", "flows.up.registration"],
            input=json.dumps(told).encode(),
            stdout=subprocess.PIPE,
            stderr=errors,
            cwd=files,
            env={**os.environ, **env},
            timeout=REGISTER_LIMIT_S,
            check=False,
            start_new_session=True,
        )
    if done.returncode != 0:
        raise NotStarted(f"the server did not take everything; {services.tail(log)}")
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def _serve(running: Running, folder: Path) -> None:
    """Wait for Ctrl-C (or SIGTERM, or the end of the terminal), then stop everything."""
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, lambda *_: signal.raise_signal(signal.SIGINT))
    progress.say("Ctrl-C stops it")
    try:
        _watch(running)
    except KeyboardInterrupt:
        progress.say("stopping")
    finally:
        services.stop(running.services, mark=running.mark, say=progress.say)
        state.forget(folder)


def _watch(running: Running) -> None:
    while True:
        for service in running.services:
            if service.process.is_dead:
                raise NotStarted(f"the {service.role} has ended by itself; {service.last_words()}")
        time.sleep(1.0)


def _stop(running: Running) -> list[str]:
    roles = [service.role for service in running.services if not service.process.is_dead]
    if running.supervisor is not None and not running.supervisor.is_dead:
        os.kill(running.supervisor.pid, signal.SIGTERM)
        _wait_until_dead(running.supervisor)
    services.stop(running.services, mark=running.mark, say=progress.say)
    return roles


def _wait_until_dead(process: ProcessIdentity) -> None:
    deadline = time.monotonic() + SUPERVISOR_LIMIT_S
    while not process.is_dead and time.monotonic() < deadline:
        time.sleep(0.1)
