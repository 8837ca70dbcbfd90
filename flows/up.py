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
from pathlib import Path
from typing import Any

from flows import console, local_server, orphans, prefect_files, progress, services, shown, up_state
from flows.errors import NotStarted
from flows.local_workers import start_workers
from flows.services import Service
from flows.up_state import Running
from storage.locations import Location
from storage.processes import ProcessIdentity, this_process

REGISTER_LIMIT_S = 300.0
SUPERVISOR_LIMIT_S = 30.0


def up(
    *, as_json: bool, data: str, store: str, port: int | None, webhook: str | None, detach: bool
) -> None:
    """Run `genre up`: start what is missing, and with `detach` leave it running."""
    with console.result_stream() as out:
        progress.enable()
        api = local_server.api_address(port)
        folder = local_server.prefect_home() / up_state.FOLDER
        with up_state.one_at_a_time(folder):
            running = up_state.read(folder)
            found = running is not None and running.is_alive
            if running is None or not found:
                running = _start(
                    folder, api=api, data=data, store=store, webhook=webhook, detach=detach
                )
        result = {**running.result, "already_running": found, "detached": detach}
        console.emit(result, as_json=as_json, show=lambda to: shown.up(result, to), to=out)
        if not found and not detach:
            _serve(running, folder)


def down(*, as_json: bool) -> None:
    """Run `genre down`: stop what `genre up` has started, and nothing else."""
    with console.result_stream() as out:
        progress.enable()
        folder = local_server.prefect_home() / up_state.FOLDER
        with up_state.one_at_a_time(folder):
            running = up_state.read(folder)
            stopped = _stop(running) if running else []
            up_state.forget(folder)
        result = {"stopped": stopped, "state": str(folder)}
        console.emit(result, as_json=as_json, show=lambda to: shown.down(result, to), to=out)


def _start(
    folder: Path, *, api: str, data: str, store: str, webhook: str | None, detach: bool
) -> Running:
    """Start everything and write it down; on an error nothing is left running."""
    began = time.monotonic()
    files = prefect_files.find_folder()
    parameters = {"data": _absolute(data), "store": Location.parse(store).uri}
    mark = uuid.uuid4().hex
    env = {services.MARK: mark, "PREFECT_API_URL": api, "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}
    started: list[Service] = []
    if not detach:
        orphans.leave_none()
    try:
        if not local_server.answers(api):
            started.append(local_server.start_server(api, env=env, folder=folder))
            local_server.wait_for_server(api, started[0])
        done = _register(files, parameters, webhook=webhook, env=env, folder=folder)
        start_workers(api, done["pools"], env=env, folder=folder, started=started)
        running = Running(
            mark=mark,
            services=tuple(started),
            supervisor=None if detach else this_process(),
            result={
                "dashboard": api.removesuffix("/api"),
                "api": api,
                "server": "started" if started[0].role == services.SERVER else "found",
                **parameters,
                **done,
                "processes": {each.role: each.process.pid for each in started},
                "state": str(folder),
                "seconds": round(time.monotonic() - began, 1),
            },
        )
        running.write(folder)
    except BaseException:
        services.stop(started, mark=mark, say=progress.say)
        raise
    return running


def _absolute(data: str) -> str:
    from flows.data import BUILT_IN  # with pandas, which only a real start needs

    if data == BUILT_IN:
        return data
    location = Location.parse(data)
    if location.local_path is not None and not location.local_path.is_dir():
        progress.say(f"there is no folder {location.uri} yet; runs will fail until it is there")
    return location.uri


def _register(
    files: Path,
    parameters: Mapping[str, str],
    *,
    webhook: str | None,
    env: Mapping[str, str],
    folder: Path,
) -> dict[str, Any]:
    """Call `flows.registration` in a process of its own: this one needs no flows all day."""
    progress.say("telling the server pools, deployments, limits and automations")
    log = folder / "registration.log"
    asked = {
        "folder": str(files),
        "parameters": dict(parameters),
        "applied": str(folder / prefect_files.DEPLOYMENTS),
        "webhook": webhook,
    }
    with log.open("wb") as errors:
        done = subprocess.run(
            [sys.executable, "-m", "flows.registration"],
            input=json.dumps(asked).encode(),
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
        up_state.forget(folder)


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
