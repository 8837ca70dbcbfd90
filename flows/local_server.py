"""A Prefect server on this machine: found where one answers, else started on the loopback."""

from __future__ import annotations

import json
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from flows import progress
from flows.errors import NotStarted, UsageError
from flows.services import SERVER, Service

DEFAULT_PORT = 4200
START_LIMIT_S = 120.0
_PAUSE_S = 0.25
_LEASES = "prefect.server.concurrency.lease_storage.filesystem"
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def prefect_home() -> Path:
    """Return PREFECT_HOME, from the environment or Prefect's default."""
    from prefect.settings import PREFECT_HOME

    return Path(PREFECT_HOME.value()).expanduser().absolute()


def api_address(port: int | None) -> str:
    """Return the address of the server's API.

    It is PREFECT_API_URL, from the environment or Prefect's profile; else `port` on loopback.

    Raises
    ------
    UsageError
        If both are given and differ.
    """
    from prefect.settings import PREFECT_API_URL

    configured = (PREFECT_API_URL.value() or "").rstrip("/")
    if not configured:
        return f"http://127.0.0.1:{port or DEFAULT_PORT}/api"
    if port is not None and urlsplit(configured).port != port:
        raise UsageError(
            f"--port is {port}, but PREFECT_API_URL is {configured}; leave one of them out"
        )
    return configured


def answers(api: str) -> bool:
    """Whether a Prefect server answers at this address."""
    try:
        with urllib.request.urlopen(f"{api}/health", timeout=5) as answer:
            return bool(json.load(answer) is True)
    except (OSError, ValueError):
        return False


def start_server(api: str, *, env: Mapping[str, str], folder: Path) -> Service:
    """Start a server and wait until it answers.

    Parameters
    ----------
    api : str
        Address that it is to have.
    env : Mapping
        Added to the environment.
    folder : Path
        For its log.

    Raises
    ------
    UsageError
        If the address is another machine's, or something else holds the port.
    NotStarted
        If it does not answer in time; the caller stops it.
    """
    address = urlsplit(api)
    host, port = address.hostname or "", address.port or DEFAULT_PORT
    _check_place(api, host, port)
    progress.say(f"starting a Prefect server on port {port}; the first start takes half a minute")
    return Service.start(
        SERVER,
        [sys.executable, "-m", "prefect", "server", "start", "--host", host, "--port", str(port)],
        env={
            # In memory, leases of concurrency slots would be lost with the server.
            "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": _LEASES,
            **env,
            # The page asks at port 4200 unless it is told another address.
            "PREFECT_SERVER_UI_API_URL": api,
        },
        log=folder / "server.log",
    )


def wait_for_server(api: str, server: Service) -> None:
    """Wait until it answers.

    Raises
    ------
    NotStarted
        If it ends, or does not answer in time.
    """
    deadline = time.monotonic() + START_LIMIT_S
    while not answers(api):
        if server.process.is_dead or time.monotonic() > deadline:
            raise NotStarted(f"the Prefect server did not start; {server.last_words()}")
        time.sleep(_PAUSE_S)


def _check_place(api: str, host: str, port: int) -> None:
    if host not in _LOOPBACK:
        raise UsageError(
            f"no Prefect server answers at {api} (PREFECT_API_URL), which is another machine; "
            "start one there, or unset PREFECT_API_URL to have one started here"
        )
    try:
        socket.create_connection((host, port), timeout=2).close()
    except OSError:
        return
    raise UsageError(
        f"port {port} of {host} is taken by something that is no Prefect server; "
        "name another one with --port"
    )
