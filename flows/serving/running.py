"""The server from its start to Ctrl-C."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable

import uvicorn

from flows.errors import UsageError
from flows.serving.access import Guard
from flows.serving.app import make_app
from flows.serving.hearers import Hearers
from flows.serving.served import Served
from storage.places.temporary_folders import temporary_folder
from tasks.worker.child import START_LIMITS_S

_END_S = 10


def listening(host: str, port: int) -> socket.socket:
    """Open the socket that the server listens on.

    Raises
    ------
    UsageError
        If that cannot be.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        opened = socket.socket(family, kind, protocol)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind(address)
        opened.listen(socket.SOMAXCONN)  # whoever comes before all is ready is answered then
    except (OSError, OverflowError) as error:
        raise UsageError(
            f"nothing can listen at {host}, port {port} ({error}); name another --port or --host"
        ) from error
    return opened


def serve(served: Served, at: socket.socket, *, ready: Callable[[], None]) -> None:
    """Serve until Ctrl-C or SIGTERM, which raise what they always do once all is closed.

    Parameters
    ----------
    served : Served
    at : socket.socket
        That listens.
    ready : callable
        Called when the model has been opened, before the first answer.

    Raises
    ------
    ModelError
        If the model does not open.
    """
    children = [served.chosen.child(time_limit_s=served.max_seconds) for _ in range(served.workers)]
    try:
        children[0].connected(limit_s=START_LIMITS_S[0])  # a model that does not open is said now
        ready()
        with temporary_folder("songs") as folder:

            async def run() -> None:
                hearers = Hearers(children, queue=served.queue)
                app = Guard(make_app(served, hearers, folder), token=served.token)
                try:
                    await _server(app).serve(sockets=[at])
                finally:
                    # asyncio waits for the threads that wait for the children
                    hearers.close()

            asyncio.run(run())
    finally:
        for each in children:
            each.close()
        at.close()


def _server(app: Guard) -> uvicorn.Server:
    config = uvicorn.Config(
        app,
        log_level="error",
        access_log=False,
        lifespan="off",
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=_END_S,
        h11_max_incomplete_event_size=1 << 16,
    )
    logging.getLogger("uvicorn.error").addFilter(_is_a_fault)
    return uvicorn.Server(config)


def _is_a_fault(record: logging.LogRecord) -> bool:
    """Whether a record tells of more than a request that is cancelled, as the server ends."""
    return not (record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError))
