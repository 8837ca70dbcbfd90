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

from flows.dashboard import login
from flows.engine.joined_security import is_own
from flows.engine.progress import say
from flows.errors import UsageError
from flows.up import private
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
    """Return what a server is told as `user:password`, None where it asks for nothing.

    It is PREFECT_API_AUTH_STRING, or that of a server to be started,
    PREFECT_SERVER_API_AUTH_STRING; from the environment or Prefect's profile.
    """
    return login.clients_password() or login.servers_password()


def check_found(api: str) -> None:
    """Refuse a server that answers and lets nobody in; say so of one that lets everybody in.

    Raises
    ------
    UsageError
        If it asks for a password, and for another one than is known here.
    httpx.HTTPError
        If nothing answers.
    """
    from prefect.settings import PREFECT_API_KEY

    if PREFECT_API_KEY.value():
        return  # no server that is run by hand asks for one
    if _is_let_in(api):
        say(
            f"the Prefect server at {api} asks for no password: whoever reaches it, and that is "
            "every user of its machine, can start runs and read blocks; start it anew with "
            f"{login.SERVER}=user:password"
        )
    elif not _is_let_in(api, password()):
        raise UsageError(
            f"the Prefect server at {api} asks for "
            f"{'another' if password() else 'a'} password; set {login.CLIENT} to what it asks for "
            "(the `genre up` that has started it says which file holds it)"
        )


def _is_let_in(api: str, word: str | None = None) -> bool:
    answer = httpx.get(
        f"{api}/admin/version", headers=_authorization(word), timeout=10, follow_redirects=True
    )
    return answer.status_code not in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN)


def _authorization(word: str | None) -> dict[str, str]:
    # The whole string, as Prefect's client sends it: it need not have a colon.
    return {"authorization": f"Basic {base64.b64encode(word.encode()).decode()}"} if word else {}


def answers(api: str) -> bool:
    """Whether a Prefect server answers at this address, also one that asks for a password."""
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
    answer = httpx.post(
        f"{api}/{path}",
        json=body,
        headers=_authorization(password()),
        timeout=10,
        follow_redirects=True,
    )
    return answer.json() if answer.is_success else None


def start_server(api: str, *, asks_for: str, env: Mapping[str, str], folder: Path) -> Service:
    """Start a server, at a place that `check_place` has let pass.

    Parameters
    ----------
    api : str
        Address that it is to have.
    asks_for : str
        Its password.
    env : Mapping
        Added to the environment.
    folder : Path
        For its log.
    """
    host, port = _host_and_port(api)
    if host not in _LOOPBACK:
        say(
            f"{host}:{port} speaks plain HTTP: whoever reads along on that network learns the "
            "server's password, and can start runs and read blocks"
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
            # Compiled modules belong to all users, and would be closed to them like its data.
            "PYTHONDONTWRITEBYTECODE": "1",
            **env,
            login.SERVER: asks_for,
            # The page asks at port 4200 unless it is told another address.
            "PREFECT_SERVER_UI_API_URL": api,
        },
        log=folder / "server.log",
        umask=private.UMASK,
    )


def check_place(api: str, *, is_shared: bool = False) -> None:
    """Refuse an address at which no server can be started.

    Parameters
    ----------
    api : str
    is_shared : bool
        Whether other machines may reach it; it listens on loopback only otherwise.

    Raises
    ------
    UsageError
        If the address is another machine's, or something else holds the port.
    """
    host, port = _host_and_port(api)
    if host not in _LOOPBACK and not is_shared:
        raise UsageError(
            f"no Prefect server answers at {api} (PREFECT_API_URL), which is another machine; "
            "start one there, or unset PREFECT_API_URL to have one started here "
            f"(--host {host} if that is this machine's address)"
        )
    if not is_own(host):
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


def _host_and_port(api: str) -> tuple[str, int]:
    address = urlsplit(api)
    return address.hostname or "", address.port or DEFAULT_PORT
