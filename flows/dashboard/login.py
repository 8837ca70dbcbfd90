"""Prefect's password: what a server of this project asks for, and what this process tells it.

A server on loopback is reached by every user of the machine, and runs what it is told. So each one
that this project starts asks for a password, made for it and handed to its own children by their
environment, which their owner alone may read.
"""

from __future__ import annotations

import os
import secrets

CLIENT, SERVER = "PREFECT_API_AUTH_STRING", "PREFECT_SERVER_API_AUTH_STRING"
"""Variables of what is told to a server, and of what a server asks for: `user:password`."""


def new_password() -> str:
    """Make one that nobody guesses."""
    return f"genre:{secrets.token_urlsafe(24)}"


def clients_password() -> str | None:
    """Return what is told to servers; from the environment, or Prefect's profile."""
    from prefect.settings import PREFECT_API_AUTH_STRING

    return _value(PREFECT_API_AUTH_STRING.value())


def servers_password() -> str | None:
    """Return what the user has servers ask for; from the environment, or Prefect's profile."""
    from prefect.settings import PREFECT_SERVER_API_AUTH_STRING

    return _value(PREFECT_SERVER_API_AUTH_STRING.value())


def log_in(password: str, *, server: bool = False) -> None:
    """Tell it to servers from now on, in this process and in those that it starts.

    Parameters
    ----------
    password : str
    server : bool
        Whether a server that this process starts is to ask for it, too.
    """
    from prefect.context import refresh_global_settings_context

    os.environ[CLIENT] = password
    if server:
        os.environ[SERVER] = password
    refresh_global_settings_context()


def _value(setting: object) -> str | None:
    found = getattr(setting, "get_secret_value", lambda: setting)()
    return str(found) if found else None
