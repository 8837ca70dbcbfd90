"""Whether runs can be told to Prefect: by the server that is configured, or by a temporary one."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

from flows.dashboard.database_space import check_room
from flows.dashboard.server_database import check_database
from flows.errors import UsageError

_LIMIT_S = 5.0
_PORTS = {"http": 80, "https": 443}


def check_server() -> None:
    """Refuse at once what a flow would meet as an error of the network, or after minutes.

    Raises
    ------
    UsageError
        If no Prefect server answers at PREFECT_API_URL, or it refuses the login or this version;
        without that setting, if the temporary server's database is of no use, or has no room.
    """
    from prefect.settings import PREFECT_API_URL, PREFECT_SERVER_EPHEMERAL_ENABLED

    if api := PREFECT_API_URL.value():
        _check_answers(str(api))
    elif not PREFECT_SERVER_EPHEMERAL_ENABLED.value():
        raise UsageError(
            "PREFECT_API_URL is not set and PREFECT_SERVER_ALLOW_EPHEMERAL_MODE is false; set "
            "the first to a server's address, or leave the second out"
        )
    else:
        check_database()
        check_room()


def _check_answers(api: str) -> None:
    import httpx
    from prefect.client.orchestration import get_client

    where = _without_login(api)
    try:
        parts = urlsplit(api)
        host, port = parts.hostname, parts.port or _PORTS.get(parts.scheme)
    except ValueError as error:
        raise _no_server(where, str(error)) from error
    if host is None or port is None:
        raise _no_server(where, "that is no address, as http://127.0.0.1:4200/api is one")
    try:
        # Prefect's own client tries a host that is silent for minutes.
        socket.create_connection((host, port), timeout=_LIMIT_S).close()
    except OSError as error:
        raise _no_server(where, error.strerror or str(error)) from error
    try:
        with get_client(sync_client=True) as client:
            client.raise_for_api_version_mismatch_once()
    except (httpx.HTTPError, ValueError, RuntimeError) as error:
        raise _refusal(where, error) from error


def _refusal(where: str, error: Exception) -> UsageError:
    reason = error.__cause__ or error
    if "Unauthorized" in str(reason) or "Forbidden" in str(reason):
        return UsageError(
            f"the Prefect server at {where} (PREFECT_API_URL) refuses the login; set "
            "PREFECT_API_AUTH_STRING=user:password (or PREFECT_API_KEY) to what it asks for"
        )
    if "incompatible" in str(error):
        return UsageError(
            f"the Prefect server at {where} (PREFECT_API_URL) is of another version: {error} "
            "Install the same one here, or name another server"
        )
    return _no_server(where, str(reason).splitlines()[0] if str(reason) else repr(reason))


def _no_server(where: str, reason: str) -> UsageError:
    return UsageError(
        f"no Prefect server answers at {where} (PREFECT_API_URL, or Prefect's profile): {reason}; "
        "start it, name another, or unset it for a temporary server"
    )


def _without_login(api: str) -> str:
    before, separator, after = api.rpartition("@")
    scheme = before.partition("://")[0]
    return f"{scheme}://{after}" if separator else api
