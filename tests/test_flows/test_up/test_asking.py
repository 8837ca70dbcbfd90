"""What `genre up` asks a server: whether it answers, and when it heard of a worker."""

from __future__ import annotations

import base64
import http.server
import json
import socket
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from limits import STEP_S
from prefect.settings import (
    PREFECT_API_AUTH_STRING,
    PREFECT_SERVER_API_AUTH_STRING,
    temporary_settings,
)

from flows.errors import NotStarted, UsageError
from flows.results import UpResult
from flows.up import local_server, services
from flows.up.local_workers import Pool
from flows.up.services import Service


@dataclass
class Answerer:
    """A server that says what it is told to, and notes what it was asked."""

    api: str = ""
    status: int = 200
    body: str = "true"
    asks_for: str | None = None
    heard: list[dict[str, Any]] = field(default_factory=list)

    def status_for(self, authorization: str | None) -> int:
        """Refuse who does not say the password, if there is one."""
        if self.asks_for is None:
            return self.status
        known = f"Basic {base64.b64encode(self.asks_for.encode()).decode()}"
        return self.status if authorization == known else 401


@pytest.fixture
def server() -> Iterator[Answerer]:
    told = Answerer()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("content-length", 0))
            told.heard.append(
                {
                    "path": self.path,
                    "authorization": self.headers.get("authorization"),
                    "body": self.rfile.read(length).decode(),
                }
            )
            self.send_response(told.status_for(self.headers.get("authorization")))
            self.end_headers()
            self.wfile.write(told.body.encode())

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            return

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        told.api = f"http://127.0.0.1:{listening.server_address[1]}/api"
        yield told
        listening.shutdown()


@pytest.mark.parametrize(
    ("status", "body", "found"),
    [
        (200, "true", True),
        (200, "false", False),
        (200, '"true"', False),
        (200, "<html>", False),
        (401, '{"exception_message": "Unauthorized"}', False),
        (503, "true", False),
    ],
)
def test_only_a_prefect_server_that_is_well_answers(
    server: Answerer, status: int, body: str, found: bool
) -> None:
    server.status, server.body = status, body
    assert local_server.answers(server.api) is found
    assert server.heard[0]["path"] == "/api/health"


@pytest.mark.parametrize(
    ("asks_for", "known", "says"),
    [
        (None, None, ""),
        ("anna:sesame", "anna:sesame", ""),
        ("anna:sesame", None, "asks for a password; set PREFECT_API_AUTH_STRING"),
        ("anna:sesame", "bob:sesame", "asks for another password; set PREFECT_API_AUTH_STRING"),
    ],
)
def test_a_found_server_that_lets_nobody_in_is_refused_and_one_that_lets_all_in_is_said(
    server: Answerer,
    asks_for: str | None,
    known: str | None,
    says: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said: list[str] = []
    monkeypatch.setattr(local_server, "say", said.append)
    server.asks_for = asks_for
    unset = {PREFECT_API_AUTH_STRING, PREFECT_SERVER_API_AUTH_STRING}
    given = {PREFECT_API_AUTH_STRING: known} if known else {}
    with temporary_settings(given, restore_defaults=unset):
        if says:
            with pytest.raises(UsageError, match=says) as caught:
                local_server.check_found(server.api)
            assert "sesame" not in str(caught.value)
        else:
            local_server.check_found(server.api)
    is_said = ["asks for no password: whoever reaches it" in each for each in said]
    assert is_said == ([True] if asks_for is None else [])


def test_nobody_there_is_no_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert not local_server.answers(f"http://127.0.0.1:{port}/api")


@pytest.mark.parametrize("password", [None, "genre:sesame", "genre:ses:ame", "sesame"])
def test_a_heartbeat_is_this_machines_workers_and_asked_for_with_the_password(
    server: Answerer, password: str | None
) -> None:
    pool = Pool(server.api, "cpu")
    others = [{"name": f"other-{pool.worker}", "last_heartbeat_time": "2025-01-01T00:00:00Z"}]
    unset = {PREFECT_API_AUTH_STRING, PREFECT_SERVER_API_AUTH_STRING}
    given = {PREFECT_API_AUTH_STRING: password} if password else {}
    with temporary_settings(given, restore_defaults=unset):
        server.body = json.dumps(others)
        assert pool.heartbeat() is None
        own = {"name": pool.worker, "last_heartbeat_time": "2025-01-02T00:00:00Z"}
        server.body = json.dumps([*others, own])
        assert pool.heartbeat() == "2025-01-02T00:00:00Z"
        server.status = 401
        assert pool.heartbeat() is None
    sent = {(asked["path"], asked["authorization"], asked["body"]) for asked in server.heard}
    basic = f"Basic {base64.b64encode(password.encode()).decode()}" if password else None
    assert sent == {("/api/work_pools/cpu/workers/filter", basic, "{}")}


def test_a_service_that_ends_before_it_is_ready_is_named_with_its_log(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "print('no such pool')"]
    service = Service.start("worker cpu", command, env={}, log=tmp_path / "log")
    says = f"the worker cpu did not start; {tmp_path / 'log'} ends with: no such pool"
    with pytest.raises(NotStarted, match=says):
        service.wait_until(lambda: False, limit_s=STEP_S)
    deaf = Service.start("server", ["sleep", "3600"], env={}, log=tmp_path / "log")
    try:
        with pytest.raises(NotStarted, match="the server did not start"):
            deaf.wait_until(lambda: False, limit_s=0)
        deaf.wait_until(lambda: True, limit_s=0)
    finally:
        services.stop([deaf], mark="none", say=lambda _: None)


def test_a_result_comes_back_from_json_as_it_was() -> None:
    result = UpResult(
        dashboard="http://127.0.0.1:4200",
        api="http://127.0.0.1:4200/api",
        server="found",
        data="demo",
        store="s3://music/store",
        scheduler="tcp://10.0.0.2:8786",
        storage_block=None,
        pools=("cpu",),
        deployments=("full-run", "train-model"),
        automations=("genre-run-failed",),
        alerts=None,
        processes={"worker cpu": 7},
        state="/prefect/genre-up",
        seconds=21.5,
        detached=True,
    )
    stored = json.loads(json.dumps(result.to_dict()))
    assert UpResult.from_dict(stored) == result
    keys = {"dashboard", "server", "deployments", "automations", "processes"}
    assert keys <= set(stored)
