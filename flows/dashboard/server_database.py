"""The database of Prefect's temporary server: what would keep the server from starting, at once.

The server itself says nothing of it: it ends, and Prefect waits two minutes for another one.
"""

from __future__ import annotations

import os
import re
import socket
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from flows.errors import UsageError

if TYPE_CHECKING:
    from sqlalchemy import URL

_SETTING = "PREFECT_SERVER_DATABASE_CONNECTION_URL"
_REVISIONS = Path("server") / "database" / "_migrations" / "versions" / "sqlite"
_REVISION = re.compile(r"^revision\s*(?::.*)?=\s*[\"'](\w+)[\"']", re.M)
_LIMIT_S = 5.0


def shown_address() -> str:
    """Return the database's address, for sentences; its password is left out."""
    url = _address()
    file = _file(url)
    return str(file) if file is not None else url.render_as_string(hide_password=True)


def database_file() -> Path | None:
    """Return the file that holds the database; None for a server's, or one in memory."""
    return _file(_address())


def is_default() -> bool:
    """Return whether the database is the one in the folder that PREFECT_HOME names."""
    from prefect.settings import PREFECT_HOME

    return database_file() == Path(PREFECT_HOME.value()).expanduser() / "prefect.db"


def remedy() -> str:
    """Name the setting by which another database is chosen."""
    return (
        "name another folder with PREFECT_HOME" if is_default() else f"name another by {_SETTING}"
    )


def check_database() -> None:
    """Refuse a database with which no server of this version of Prefect starts.

    Raises
    ------
    UsageError
        If it is of another version of Prefect, no database, out of reach, or not to be written.
    """
    url = _address()
    file = _file(url)
    if file is not None:
        _check_file(file)
    elif url.host is not None:
        _check_answers(url.host, url.port or 5432)


def make_private() -> None:
    """Make the file of a database that is not there yet, so that its owner alone may read it."""
    file = _file(_address())
    if file is not None:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(FileExistsError):
            os.close(os.open(file, os.O_CREAT | os.O_EXCL, 0o600))


def _address() -> URL:
    from prefect.settings import get_current_settings
    from sqlalchemy import make_url

    given = get_current_settings().server.database.connection_url
    return make_url(given.get_secret_value() if given is not None else "sqlite://")


def _file(url: URL) -> Path | None:
    """Return the file of an SQLite database; None for a server's, or one in memory."""
    is_file = url.get_backend_name() == "sqlite" and url.database not in (None, "", ":memory:")
    named = str(url.database).removeprefix("file:").partition("?")[0]
    return Path(named).absolute() if is_file else None


def _check_file(file: Path) -> None:
    if not file.exists():
        folder = next(each for each in file.parents if each.exists())
        if not (folder.is_dir() and os.access(folder, os.W_OK)):
            raise UsageError(f"Prefect's database {file} cannot be made; {remedy()}")
        return
    revision = _revision_of(file)
    if not os.access(file, os.W_OK):
        raise UsageError(f"Prefect's database {file} may not be written; {remedy()}")
    known = _known_revisions()
    if revision is not None and known and revision not in known:
        import prefect

        raise UsageError(
            f"Prefect's database {file} was made by another version of Prefect (its revision "
            f"{revision} is not known to {prefect.__version__}); {remedy()}, or install the "
            "version that made it"
        )


def _revision_of(file: Path) -> str | None:
    """Read the revision of a database's tables; None where it has none yet, or is locked."""
    if not file.is_file():
        raise UsageError(f"Prefect's database {file} is no file; {remedy()}")
    address = f"{file.as_uri()}?mode=ro"
    try:
        with closing(sqlite3.connect(address, uri=True, timeout=_LIMIT_S)) as database:
            line = database.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.OperationalError as error:
        if "unable to open" in str(error):
            raise UsageError(f"Prefect's database {file} cannot be opened; {remedy()}") from error
        return None  # it has no tables yet, or another process holds it
    except sqlite3.DatabaseError as error:
        raise UsageError(
            f"Prefect's database {file} is no SQLite database ({error}); {remedy()}, or delete "
            "that file"
        ) from error
    return str(line[0]) if line else None


def _known_revisions() -> frozenset[str]:
    import prefect

    files = (prefect.__module_path__ / _REVISIONS).glob("*.py")
    found = (_REVISION.search(file.read_text("utf-8")) for file in files)
    return frozenset(match[1] for match in found if match)


def _check_answers(host: str, port: int) -> None:
    try:
        socket.create_connection((host, port), timeout=_LIMIT_S).close()
    except OSError as error:
        raise UsageError(
            f"no database answers at {host}:{port} ({_SETTING}): {error.strerror or error}; start "
            "it, name another, or unset the setting"
        ) from error
