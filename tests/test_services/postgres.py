"""A PostgreSQL of a test's own: Debian's package, a data folder of its own, on loopback."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from limits import STEP_S, TRY_S

DEBIAN = Path("/usr/lib/postgresql")
ACCOUNTS = ("postgres", "nobody")


@contextmanager
def postgresql() -> Iterator[str]:
    """Start a server; yield the address that Prefect's server takes.

    PostgreSQL refuses to run as root, which then becomes the package's own user.
    """
    programs = _programs()
    with tempfile.TemporaryDirectory(prefix="genre-postgresql-", dir="/tmp") as folder:
        data, account = Path(folder) / "data", _account()
        if account is not None:
            shutil.chown(folder, account)
        subprocess.run(
            [programs / "initdb", "-D", data, "-U", "prefect", "-A", "trust", "--no-sync"],
            user=account,
            cwd=folder,
            check=True,
            capture_output=True,
            timeout=STEP_S,
        )
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        settings = {"listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": ""}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        process = subprocess.Popen(
            [programs / "postgres", "-D", data, *options, "-c", "fsync=off"],
            user=account,
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=(Path(folder) / "log").open("wb"),
        )
        try:
            _wait_until_it_listens(process, port)
            yield f"postgresql+asyncpg://prefect@127.0.0.1:{port}/postgres"
        finally:
            process.send_signal(signal.SIGINT)  # its quick shutdown
            process.wait(STEP_S)


def _programs() -> Path:
    """Find PostgreSQL's programs, which Debian keeps out of PATH, or skip."""
    for folder in [*sorted(DEBIAN.glob("*/bin"), reverse=True)]:
        if (folder / "initdb").is_file():
            return folder
    found = shutil.which("initdb")
    if found is None:
        pytest.skip("PostgreSQL is not installed (no initdb): apt-get install postgresql")
    return Path(found).resolve().parent


def _account() -> str | None:
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in ACCOUNTS if name in known)


def _wait_until_it_listens(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + STEP_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=TRY_S).close()
        except OSError:
            assert process.poll() is None, "PostgreSQL did not start"
            assert time.monotonic() < deadline, "PostgreSQL does not listen"
            time.sleep(0.1)
        else:
            return
