"""A Prefect server on this machine: found where one answers, else started, on loopback at first."""

from __future__ import annotations

import base64
import os
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from flows.engine.progress import say
from flows.errors import UsageError
from flows.up.services import SERVER, Service

DEFAULT_PORT = 4200
START_LIMIT_S = 120.0
_LEASES = "prefect.server.concurrency.lease_storage.filesystem"
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_PAGES = "PREFECT_SERVER_UI_STATIC_DIRECTORY"
_EVERYWHERE = ("0.0.0.0", "::", "")


def api_address(*, host: str | None, port: int | None) -> str:
    """Return the address of the server's API.

    It is PREFECT_API_URL, from the environment or Prefect's profile; else `port` of `host`, by
    default of loopback.

    Raises
    ------
    UsageError
        If both are given and differ, or `host` is none that others can be told.
    """
    from prefect.settings import PREFECT_API_URL

    if host in _EVERYWHERE:
        raise UsageError(
            f"--host is {host}, which other machines cannot be told; "
            "name the address of this machine at which they reach it"
        )
    configured = (PREFECT_API_URL.value() or "").rstrip("/")
    if not configured:
        name = host or _LOOPBACK[0]
        return f"http://{f'[{name}]' if ':' in name else name}:{port or DEFAULT_PORT}/api"
    found = urlsplit(configured)
    for option, given, there in (("host", host, found.hostname), ("port", port, found.port)):
        if given is not None and given != there:
            raise UsageError(
                f"--{option} is {given}, but PREFECT_API_URL is {configured}; leave one of them out"
            )
    return configured


def is_configured() -> bool:
    """Whether PREFECT_API_URL names a server, in the environment or in Prefect's profile."""
    from prefect.settings import PREFECT_API_URL

    return bool(PREFECT_API_URL.value())


def password() -> str | None:
    """Return what a server asks for as `user:password`, None where it asks for nothing.

    It is PREFECT_API_AUTH_STRING, or that of a server to be started,
    PREFECT_SERVER_API_AUTH_STRING; from the environment or Prefect's profile.
    """
    from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_SERVER_API_AUTH_STRING

    for setting in (PREFECT_API_AUTH_STRING, PREFECT_SERVER_API_AUTH_STRING):
        if found := setting.value():
            return str(getattr(found, "get_secret_value", lambda: found)())
    return None


def answers(api: str) -> bool:
    """Whether a Prefect server answers at this address."""
    try:
        answer = httpx.get(f"{api}/health", timeout=5, follow_redirects=True)
        return answer.is_success and answer.json() is True
    except (httpx.HTTPError, ValueError):
        return False


def ask(api: str, path: str, body: object) -> Any:
    """Post to the API of the server, with the password; return its answer, None if it refuses.

    Raises
    ------
    httpx.HTTPError
        If nothing answers.
    ValueError
        If what answers speaks no JSON.
    """
    headers = {}
    if word := password():
        # The whole string, as Prefect's client sends it: it need not have a colon.
        headers["authorization"] = f"Basic {base64.b64encode(word.encode()).decode()}"
    answer = httpx.post(
        f"{api}/{path}", json=body, headers=headers, timeout=10, follow_redirects=True
    )
    return answer.json() if answer.is_success else None


def start_server(
    api: str, *, is_shared: bool = False, env: Mapping[str, str], folder: Path
) -> Service:
    """Start a server.

    Parameters
    ----------
    api : str
        Address that it is to have.
    is_shared : bool
        Whether other machines may reach it; it listens on loopback only otherwise.
    env : Mapping
        Added to the environment.
    folder : Path
        For its log.

    Raises
    ------
    UsageError
        If the address is another machine's, or something else holds the port.
    """
    address = urlsplit(api)
    host, port = address.hostname or "", address.port or DEFAULT_PORT
    _check_place(api, host, port, is_shared=is_shared)
    if host not in _LOOPBACK and password() is None:
        say(
            f"whoever reaches {host}:{port} can start runs and read blocks, since the server asks "
            "for no password; set PREFECT_SERVER_API_AUTH_STRING=user:password, or have a firewall "
            "choose who does"
        )
    say(f"starting a Prefect server on port {port}; the first start takes half a minute")
    return Service.start(
        SERVER,
        [sys.executable, "-m", "prefect", "server", "start", "--host", host, "--port", str(port)],
        env={
            # Prefect writes its pages beside its code, where a user of its own may write nothing.
            _PAGES: os.environ.get(_PAGES, str(folder / "pages")),
            # In memory, leases of concurrency slots would be lost with the server.
            "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": _LEASES,
            **env,
            # The page asks at port 4200 unless it is told another address.
            "PREFECT_SERVER_UI_API_URL": api,
        },
        log=folder / "server.log",
    )


def _check_place(api: str, host: str, port: int, *, is_shared: bool) -> None:
    if host not in _LOOPBACK and not is_shared:
        raise UsageError(
            f"no Prefect server answers at {api} (PREFECT_API_URL), which is another machine; "
            "start one there, or unset PREFECT_API_URL to have one started here "
            f"(--host {host} if that is this machine's address)"
        )
    if not _is_own(host):
        raise UsageError(
            f"--host is {host}, which is no address of this machine; `hostname -I` lists those"
        )
    try:
        socket.create_connection((host, port), timeout=2).close()
    except OSError:
        return
    raise UsageError(
        f"port {port} of {host} is taken by something that is no Prefect server; "
        "name another one with --port"
    )


def _is_own(host: str) -> bool:
    """Whether something can listen at `host` here."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.bind(address)
    except OSError:
        return False
    return True
