"""An HTTP server that serves files as badly as it is told to."""

from __future__ import annotations

import random
import re
import threading
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import md5
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

_SLICE = 16_384


@dataclass
class ArchiveServer:
    """What is served, and how; tests change it while it runs.

    Attributes
    ----------
    files : dict[str, bytes | Path]
        Name -> content.
    has_ranges, has_etag, has_length : bool
    content_type : str
    status : int | None
        Answer everything with it.
    failures : int
        So many answers of 503 come first, with `retry_after` as their header of that name.
    says_which : bool
        Whether a part says which it is.
    login : str
        `user:password` that is asked for.
    drop_after : tuple[int, int] | None
        Break the line after a random number of bytes between these.
    stall_after : int | None
        Send so many bytes of the next answer, then none for `stall_s`; once.
    bytes_a_second : int | None
    requests : list[tuple[str, str]]
        Name and `Range` of each request so far.
    """

    files: dict[str, bytes | Path] = field(default_factory=dict)
    url: str = ""
    has_ranges: bool = True
    has_etag: bool = True
    has_length: bool = True
    content_type: str = "application/zip"
    status: int | None = None
    failures: int = 0
    retry_after: str = ""
    says_which: bool = True
    login: str = ""
    drop_after: tuple[int, int] | None = None
    stall_after: int | None = None
    stall_s: float = 5.0
    bytes_a_second: int | None = None
    requests: list[tuple[str, str]] = field(default_factory=list)
    sent: int = 0
    draw: random.Random = field(default_factory=lambda: random.Random(5))


@contextmanager
def serving(**settings: object) -> Iterator[ArchiveServer]:
    """Run a server on a free port, in threads."""
    told = ArchiveServer(**settings)  # type: ignore[arg-type]

    class Handler(_Handler):
        server_is = told

    server = _Server(("127.0.0.1", 0), Handler)
    told.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=[0.02], daemon=True)
    thread.start()
    try:
        yield told
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Say nothing of clients that have gone."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_is: ArchiveServer

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        told = self.server_is
        name = self.path.lstrip("/")
        told.requests.append((name, self.headers.get("Range", "")))
        status = 404 if name not in told.files else told.status
        if told.failures:
            told.failures, status = told.failures - 1, 503
        wanted = f"Basic {b64encode(told.login.encode()).decode()}"
        if told.login and self.headers.get("Authorization") != wanted:
            status = 401
        if status is not None:
            self.send_response(status)
            if status == 503 and told.retry_after:
                self.send_header("Retry-After", told.retry_after)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        try:
            self._send(told, told.files[name])
        except OSError:
            self.close_connection = True  # the client has gone

    def _send(self, told: ArchiveServer, content: bytes | Path) -> None:
        size = len(content) if isinstance(content, bytes) else content.stat().st_size
        etag = _etag(content)
        start, stop = self._range(told, etag, size)
        if start >= size and start:
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{size}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        is_part = (start, stop) != (0, size)
        self.send_response(206 if is_part else 200)
        self.send_header("Content-Type", told.content_type)
        if told.has_etag:
            self.send_header("ETag", etag)
        if is_part and told.says_which:
            self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{size}")
        if told.has_length:
            self.send_header("Content-Length", str(stop - start))
        else:
            self.close_connection = True
        self.end_headers()
        self._write(told, content, start, stop)

    def _range(self, told: ArchiveServer, etag: str, size: int) -> tuple[int, int]:
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        is_same = self.headers.get("If-Range", etag) == etag
        if asked is None or not told.has_ranges or not is_same:
            return 0, size
        return int(asked[1]), min(size, int(asked[2]) + 1) if asked[2] else size

    def _write(self, told: ArchiveServer, content: bytes | Path, start: int, stop: int) -> None:
        dropped = start + told.draw.randint(*told.drop_after) if told.drop_after else stop
        for at in range(start, stop, _SLICE):
            piece = _slice(content, at, min(at + _SLICE, stop, dropped))
            self.wfile.write(piece)
            told.sent += len(piece)
            if told.bytes_a_second:
                time.sleep(len(piece) / told.bytes_a_second)
            if told.stall_after is not None and at - start >= told.stall_after:
                told.stall_after = None
                self.wfile.flush()
                time.sleep(told.stall_s)
                self.close_connection = True
                return
            if at + _SLICE >= dropped < stop:
                self.close_connection = True
                return


def _etag(content: bytes | Path) -> str:
    if isinstance(content, bytes):
        return f'"{md5(content, usedforsecurity=False).hexdigest()}"'
    return f'"{content.stat().st_mtime_ns:x}"'


def _slice(content: bytes | Path, start: int, stop: int) -> bytes:
    if isinstance(content, bytes):
        return content[start:stop]
    with content.open("rb") as file:
        file.seek(start)
        return file.read(max(0, stop - start))
