"""A server or database that is of no use is one sentence at once, not a traceback or a wait."""

from __future__ import annotations

import http.server
import socket
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import closing, nullcontext
from pathlib import Path

import pytest
from command import Genre
from prefect.settings import (
    PREFECT_API_URL,
    PREFECT_SERVER_DATABASE_CONNECTION_URL,
    PREFECT_SERVER_EPHEMERAL_ENABLED,
    temporary_settings,
)

from flows.dashboard import login, server_database, temporary_server
from flows.dashboard.configured_server import check_server
from flows.dashboard.server_database import check_database, shown_address
from flows.errors import UsageError

pytestmark = pytest.mark.whole


@pytest.fixture
def silent_port() -> Iterator[int]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and never listens
        yield int(taken.getsockname()[1])


class Answers(http.server.BaseHTTPRequestHandler):
    """Answers everything with the status of the class."""

    status = 404

    def do_GET(self) -> None:
        self.send_response(self.status)
        self.end_headers()
        self.wfile.write(b"<html>")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(params=[404, 401, 200])
def web_server(request: pytest.FixtureRequest) -> Iterator[tuple[int, int]]:
    """Run a web server that is no Prefect server; give its status and port."""
    handler = type("Handler", (Answers,), {"status": request.param})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield request.param, server.server_address[1]
    server.shutdown()


@pytest.mark.parametrize("login", ["", "genre:secret@"])
def test_a_server_that_does_not_answer(silent_port: int, login: str) -> None:
    with (
        temporary_settings({PREFECT_API_URL: f"http://{login}127.0.0.1:{silent_port}/api"}),
        pytest.raises(UsageError, match="no Prefect server answers at http") as caught,
    ):
        check_server()
    assert f"127.0.0.1:{silent_port}/api (PREFECT_API_URL" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_what_answers_is_no_prefect_server_or_refuses(web_server: tuple[int, int]) -> None:
    status, port = web_server
    says = "refuses the login; set PREFECT_API_AUTH_STRING" if status == 401 else "no Prefect serv"
    with (
        temporary_settings({PREFECT_API_URL: f"http://127.0.0.1:{port}/api"}),
        pytest.raises(UsageError, match=says) as caught,
    ):
        check_server()
    assert "\n" not in str(caught.value)


def test_no_server_at_all_is_refused() -> None:
    with (
        temporary_settings({PREFECT_SERVER_EPHEMERAL_ENABLED: False}),
        pytest.raises(UsageError, match="PREFECT_API_URL is not set and"),
    ):
        check_server()


def _database(path: Path, revision: str) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE alembic_version (version_num VARCHAR(32))")
        database.execute("INSERT INTO alembic_version VALUES (?)", (revision,))
        database.commit()


def _url(path: Path) -> str:
    return f"sqlite+aiosqlite:///{path}"


def test_a_database_is_looked_at(tmp_path: Path) -> None:
    newest = max(server_database._known_revisions())
    _database(tmp_path / "good.db", newest)
    _database(tmp_path / "other.db", "ffffffffffff")
    (tmp_path / "text.db").write_text("this is no database" * 99)
    (tmp_path / "folder.db").mkdir()
    (tmp_path / "empty.db").touch()
    for name in ("good.db", "empty.db", "not-there-yet.db", "nor/here.db"):
        with temporary_settings({PREFECT_SERVER_DATABASE_CONNECTION_URL: _url(tmp_path / name)}):
            check_database()
            assert shown_address() == str(tmp_path / name)
    for name, says in (
        ("other.db", "by another version of Prefect (its revision ffffffffffff is not known"),
        ("text.db", "is no SQLite database"),
        ("folder.db", "is no file"),
        ("text.db/below.db", "cannot be made"),
    ):
        place = _url(tmp_path / name)
        with (
            temporary_settings({PREFECT_SERVER_DATABASE_CONNECTION_URL: place}),
            pytest.raises(UsageError) as caught,
        ):
            check_database()
        assert f"Prefect's database {tmp_path / name} " in str(caught.value)
        assert says in str(caught.value)
        assert "name another by PREFECT_SERVER_DATABASE_CONNECTION_URL" in str(caught.value)
    assert not (tmp_path / "not-there-yet.db").exists()


def test_a_database_server_that_does_not_answer(silent_port: int) -> None:
    url = f"postgresql+asyncpg://prefect:secret@127.0.0.1:{silent_port}/prefect"
    with temporary_settings({PREFECT_SERVER_DATABASE_CONNECTION_URL: url}):
        with pytest.raises(UsageError, match=f"no database answers at 127.0.0.1:{silent_port} "):
            check_database()
        assert "secret" not in shown_address()


def test_a_temporary_server_that_ends_by_itself_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Ended:
        pid = 7

        def poll(self) -> int:
            return 1

    from prefect.server.api.server import SubprocessASGIServer

    def never(_started: Future[None]) -> None:
        SubprocessASGIServer().server_process = Ended()  # type: ignore[assignment]

    monkeypatch.setattr(temporary_server, "_start", never)
    monkeypatch.setattr(login, "log_in", lambda *_, **__: None)
    try:
        with pytest.raises(UsageError, match=r"temporary server ends by itself; its database is /"):
            temporary_server.start(sigint_blocked=nullcontext)
    finally:
        SubprocessASGIServer().server_process = None


def test_the_command_says_it_and_writes_nothing(genre: Genre, silent_port: int) -> None:
    for song in ("rock/a.wav", "pop/b.wav"):
        (genre.folder / "data" / song).parent.mkdir(parents=True)
        (genre.folder / "data" / song).write_bytes(b"-")
    (genre.folder / "prefect").mkdir()
    _database(genre.folder / "prefect" / "prefect.db", "ffffffffffff")
    given = ("features", "--data", "data", "--store", "store")
    for env, says in (
        ({"PREFECT_API_URL": f"http://127.0.0.1:{silent_port}/api"}, "no Prefect server answers"),
        ({}, "made by another version of Prefect"),
        ({"PREFECT_HOME": str(genre.folder / "data/rock/a.wav/x")}, "where no folder can be made"),
    ):
        ended = genre(*given, **env)
        assert ended.code == 2, ended.err
        assert says in ended.err
        assert "Traceback" not in ended.err
    assert not (genre.folder / "store").exists()
