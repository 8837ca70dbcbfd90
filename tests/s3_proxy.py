"""What stands between a client and an S3 server: counts requests, and spoils some of them."""

from __future__ import annotations

import contextlib
import http.client
import random
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from tests.limits import STEP_S

FAULTS = ("reset", "lost answer", "stall", "delay", "truncate", "500", "503")
STALL_S, DELAY_S = 6.0, 0.3
_ERRORS = {
    "500": (500, "InternalError"),
    "503": (503, "SlowDown"),
    "expired": (400, "ExpiredToken"),
}


@dataclass(frozen=True)
class Asked:
    """One request."""

    method: str
    path: str
    bytes: int


@dataclass
class Proxy:
    """A server on a free port that passes requests on to another one; a context.

    Attributes
    ----------
    target : str
        The server's address. The Host header is left as it is, so signatures hold.
    fault : callable
        Says what is done to a request: one of `FAULTS`, "expired", or "" for nothing.
    delay_s : float
        By how much "delay" delays an answer.
    asked : list[Asked]
        Every request that came.
    spoilt : Counter
        Faults by kind.
    """

    target: str
    fault: Callable[[Asked], str] = lambda _asked: ""
    delay_s: float = DELAY_S
    asked: list[Asked] = field(default_factory=list)
    spoilt: Counter[str] = field(default_factory=Counter)
    _server: ThreadingHTTPServer | None = None

    def __enter__(self) -> Self:
        handler = type("Handler", (_Handler,), {"proxy": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=[0.02], daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.shutdown()
        self._server.server_close()

    @property
    def endpoint_url(self) -> str:
        """Where it answers."""
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def of(self, method: str, part: str = "") -> int:
        """Count requests of a method whose path holds `part`."""
        return sum(asked.method == method and part in asked.path for asked in self.asked)


def a_fifth(seed: int, kinds: tuple[str, ...] = FAULTS) -> Callable[[Asked], str]:
    """Spoil a fifth of the requests, each in one of the ways."""
    draw, one_at_a_time = random.Random(seed), threading.Lock()

    def choose(_asked: Asked) -> str:
        with one_at_a_time:
            return draw.choice(kinds) if draw.random() < 0.2 else ""

    return choose


class _Handler(BaseHTTPRequestHandler):
    proxy: Proxy
    protocol_version = "HTTP/1.1"

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        asked = Asked(self.command, self.path, len(body))
        self.proxy.asked.append(asked)
        fault = self.proxy.fault(asked)
        if fault:
            self.proxy.spoilt[fault] += 1
        match fault:
            case "reset":
                self._reset()
            case "stall":
                time.sleep(STALL_S)
                self._reset()
            case "lost answer":
                self._ask(body)
                self._reset()
            case "500" | "503" | "expired":
                self._refuse(*_ERRORS[fault])
            case _:
                time.sleep(self.proxy.delay_s if fault == "delay" else 0)
                self._answer(*self._ask(body), whole=fault != "truncate")

    do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = _handle  # noqa: N815

    def _ask(self, body: bytes) -> tuple[int, Mapping[str, str], bytes]:
        target = http.client.HTTPConnection(urlsplit(self.proxy.target).netloc, timeout=STEP_S)
        try:
            left_out = ("connection", "expect")
            headers = {k: v for k, v in self.headers.items() if k.lower() not in left_out}
            target.request(self.command, self.path, body=body, headers=headers)
            answer = target.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        except OSError:
            return 502, {}, b""
        finally:
            target.close()

    def _answer(
        self, status: int, headers: Mapping[str, str], body: bytes, *, whole: bool = True
    ) -> None:
        left_out = ("transfer-encoding", "connection", "content-length", "date", "server")
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() not in left_out:
                self.send_header(name, value)
        length = headers.get("Content-Length") if self.command == "HEAD" else None
        if status not in (204, 304):
            self.send_header("Content-Length", length or str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body if whole else body[: len(body) // 2])
        if not whole:
            self._reset()

    def _refuse(self, status: int, code: str) -> None:
        text = f"<Error><Code>{code}</Code><Message>spoilt</Message></Error>".encode()
        self._answer(status, {"Content-Type": "application/xml"}, text)

    def _reset(self) -> None:
        """Close the connection with a reset."""
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.wfile.flush()
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.connection.shutdown(socket.SHUT_RDWR)

    def handle(self) -> None:
        with contextlib.suppress(OSError):  # the client has gone
            super().handle()

    def log_message(self, *_arguments: Any) -> None:
        """Say nothing."""
