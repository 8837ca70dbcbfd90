"""Another user of the machine: what such a one is told by ports, and may read of files.

As a program (``python stranger.py``) it becomes a user who owns nothing, reads what to try as JSON
from stdin, a line, and writes what came of it to stdout. It is started as root, since the
interpreter and its modules may lie where no other user looks.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import pickle
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any

import psutil
import pytest
from distributed.comm.core import Comm
from distributed.comm.registry import get_backend
from distributed.core import send_recv
from distributed.security import Security
from limits import COMMAND_S, TRY_S
from websockets.asyncio.client import connect

NOBODY = 65534
DASK_CALLS = ("run_function", "run")
"""Of the scheduler; of workers and nannies."""
HTTP_QUESTIONS = {
    "flows/": {"name": "of-a-stranger"},
    "deployments/filter": {},
    "block_documents/filter": {"include_secrets": True},
    "automations/filter": {},
    "logs/filter": {},
}


@dataclass(frozen=True)
class Stranger:
    """A process of a user who owns nothing here; it waits for what it is to try."""

    process: subprocess.Popen[str]

    def tries(self, ports: Iterable[int], folders: Iterable[Path]) -> dict[str, Any]:
        """Try ports and folders; return what let it in.

        Returns
        -------
        dict
            ``dask``: what it could call; ``http``: what was answered; ``events``: sockets that took
            an event; ``files``: what it could open.
        """
        asked = {"ports": list(ports), "folders": [str(folder) for folder in folders]}
        out, err = self.process.communicate(json.dumps(asked) + "\n", timeout=COMMAND_S)
        assert self.process.returncode == 0, err
        found = json.loads(out)
        assert isinstance(found, dict)
        return found


@contextmanager
def stranger() -> Iterator[Stranger]:
    """Start one, or skip where nobody can be made one."""
    if os.geteuid() != 0:
        pytest.skip("root alone can start a process that becomes another user")
    command = [sys.executable, "-B", str(Path(__file__))]
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}
    environment["PYTHONPATH"] = str(Path(__file__).parents[1])
    process = subprocess.Popen(
        command,
        cwd="/",
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield Stranger(process)
    finally:
        process.kill()
        process.wait()


def listening(processes: list[psutil.Process]) -> list[int]:
    """List the ports on which these processes listen."""
    found = set()
    for process in processes:
        with contextlib.suppress(psutil.Error):
            for each in process.net_connections("inet"):
                if each.status == psutil.CONN_LISTEN:
                    found.add(each.laddr.port)
    return sorted(found)


async def _dask_calls(port: int) -> list[str]:
    """Have a Dask process run something, in clear and with a certificate of one's own."""
    done = []
    for scheme in ("tcp", "tls"):
        for name in DASK_CALLS:
            # what is no Dask is read as the length of a message that no memory holds
            with contextlib.suppress(OSError, RuntimeError, ValueError, MemoryError):
                async with asyncio.timeout(TRY_S):
                    comm = await _connected(scheme, port)
                    answer = await send_recv(comm, op=name, function=pickle.dumps(os.getuid))
                    done.append(f"{scheme}://127.0.0.1:{port} {name}: {answer}")
    return done


async def _connected(scheme: str, port: int) -> Comm:
    """Connect as Dask does, but once: what is refused is not tried again."""
    given = Security.temporary().get_connection_args("client") if scheme == "tls" else {}
    comm = await get_backend(scheme).get_connector().connect(f"127.0.0.1:{port}", **given)
    mine = comm.handshake_info()
    await comm.write(mine)
    comm.remote_info, comm.local_info = await comm.read(), mine
    comm.handshake_options = comm.handshake_configuration(mine, comm.remote_info)
    return comm


def _http_answers(port: int) -> list[str]:
    """Ask a page, and Prefect's API without a password and with a wrong one."""
    root = f"http://127.0.0.1:{port}"
    pages = [urllib.request.Request(f"{root}/{page}") for page in ("", "info/main/workers.html")]
    asked = [
        urllib.request.Request(
            f"{root}/api/{path}",
            data=json.dumps(body).encode(),
            headers={"content-type": "application/json", **login},
        )
        for path, body in HTTP_QUESTIONS.items()
        for login in ({}, {"authorization": "Basic Z2VucmU6Z2VucmU="})
    ]
    done = []
    for request in (*pages, *asked):
        with (
            contextlib.suppress(OSError, HTTPException),
            urllib.request.urlopen(request, timeout=TRY_S) as answer,
        ):
            done.append(f"{request.full_url}: {answer.read(200)!r}")
    return done


async def _sockets(port: int) -> list[str]:
    """Tell an event, with a wrong password and without the step that asks for one."""
    done = []
    for protocols in (["prefect"], None):
        address = f"ws://127.0.0.1:{port}/api/events/in"
        with contextlib.suppress(Exception):
            async with connect(address, subprotocols=protocols, open_timeout=TRY_S) as events:
                if protocols:
                    await events.send(json.dumps({"type": "auth", "token": "genre:genre"}))
                    if json.loads(await events.recv())["type"] != "auth_success":
                        continue
                done.append(f"{address} {protocols}")
    return done


def _readable(folder: Path) -> list[str]:
    found = []
    for path in folder.rglob("*"):
        if path.is_file():
            with contextlib.suppress(OSError), path.open("rb"):
                found.append(str(path))
    return found


def _become_nobody() -> None:
    # modules are loaded until here, and none later
    asyncio.run(_tries([_closed_port()], [os.devnull]))
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)


def _closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


async def _tries(ports: list[int], folders: list[str]) -> dict[str, Any]:
    called = await asyncio.gather(*map(_dask_calls, ports))
    return {
        "dask": [each for of_port in called for each in of_port],
        "http": [each for port in ports for each in _http_answers(port)],
        "events": [each for port in ports for each in await _sockets(port)],
        "files": [each for folder in folders for each in _readable(Path(folder))],
    }


if __name__ == "__main__":
    _become_nobody()
    sys.stdout.write(json.dumps(asyncio.run(_tries(**json.loads(sys.stdin.readline())))))
