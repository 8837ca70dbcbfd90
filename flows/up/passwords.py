"""What the server of `genre up` asks for: made when it is started, gone when it is stopped.

It lies in a file beside the state, so that the next command of its owner can log in, and its owner
in the dashboard. Where the user has named a password, it is that one, and no file holds it.
"""

from __future__ import annotations

from pathlib import Path

from flows.dashboard import login
from flows.up import private, state
from flows.up.state import Running

_FILE = "password"


def of_new_server(folder: Path) -> tuple[str, Path | None]:
    """Return what a server that is to be started asks for, and the file that holds it, if any."""
    if named := login.servers_password() or login.clients_password():
        return named, None
    made, file = login.new_password(), folder / _FILE
    private.write(file, made)
    return made, file


def log_in(running: Running | None) -> None:
    """Log in to the server of a `genre up`, if that has made a password and the user has not."""
    if running is None or not running.is_whole or login.clients_password():
        return
    if running.result.password is not None:
        login.log_in(Path(running.result.password).read_text(encoding="utf-8"))


def log_in_to_own() -> None:
    """Log in to the server that is configured, if this home's `genre up` has started it."""
    from prefect.settings import PREFECT_API_URL

    api, running = (PREFECT_API_URL.value() or "").rstrip("/"), state.read(state.folder())
    if running is not None and running.result.api == api:
        log_in(running)


def forget(folder: Path) -> None:
    """Delete it."""
    (folder / _FILE).unlink(missing_ok=True)
