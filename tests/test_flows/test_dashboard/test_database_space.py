"""A disk or quota that has no room for the temporary server's database is said before it starts."""

from __future__ import annotations

import errno
import os
import shutil
from concurrent.futures import Future
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest
from prefect.settings import (
    PREFECT_API_URL,
    PREFECT_HOME,
    PREFECT_SERVER_DATABASE_CONNECTION_URL,
    temporary_settings,
)

from flows.dashboard import database_space, temporary_server
from flows.dashboard.database_space import NEEDED, check_not_full, check_room, told_if_full
from flows.errors import UsageError
from storage.errors import Damaged


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Let a test say how much is free."""
    told = SimpleNamespace(free=2**40)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: told)
    return told


def test_there_is_room_and_nothing_stays_behind(tmp_path: Path) -> None:
    with temporary_settings({PREFECT_SERVER_DATABASE_CONNECTION_URL: _url(tmp_path / "p.db")}):
        check_room()
        check_not_full()
    assert list(tmp_path.iterdir()) == []


def test_a_full_home_is_named_with_what_is_free_and_the_remedy(free: SimpleNamespace) -> None:
    free.free = NEEDED - 2**20
    home = Path(PREFECT_HOME.value())
    with pytest.raises(UsageError) as caught:
        check_room()
    assert str(caught.value) == (
        f"Prefect's temporary server needs 16.0 MiB for its database, but {home} (PREFECT_HOME) "
        "has 15.0 MiB free: free some space there, or name another folder with PREFECT_HOME"
    )
    check_not_full()


def test_a_database_elsewhere_has_its_own_remedy(tmp_path: Path, free: SimpleNamespace) -> None:
    free.free = 0
    place = _url(tmp_path / "not" / "there" / "p.db")
    with (
        temporary_settings({PREFECT_SERVER_DATABASE_CONNECTION_URL: place}),
        pytest.raises(UsageError, match=f"but {tmp_path} has 0.0 MiB free: .* name another by PRE"),
    ):
        check_room()


def test_a_quota_shows_though_the_disk_has_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def used_up(*_: object) -> None:
        raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))

    monkeypatch.setattr(os, "posix_fallocate", used_up)
    with (
        temporary_settings({PREFECT_SERVER_DATABASE_CONNECTION_URL: _url(tmp_path / "p.db")}),
        pytest.raises(UsageError, match="free some space there"),
    ):
        check_room()


def test_a_server_that_is_configured_or_a_database_in_memory_needs_no_disk(
    free: SimpleNamespace,
) -> None:
    free.free = 0
    for settings in (
        {PREFECT_API_URL: "http://127.0.0.1:4200/api"},
        {PREFECT_SERVER_DATABASE_CONNECTION_URL: "sqlite+aiosqlite:///:memory:"},
    ):
        with temporary_settings(settings):
            check_room()
            check_not_full()


def test_a_disk_that_fills_up_while_the_server_starts_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, free: SimpleNamespace
) -> None:
    def never(_started: Future[None]) -> None:
        free.free = 0

    monkeypatch.setattr(temporary_server, "_start", never)
    with pytest.raises(UsageError, match="cannot write its database any more, since"):
        temporary_server.start(sigint_blocked=nullcontext)


def test_what_fails_on_a_full_disk_is_told_by_that(free: SimpleNamespace) -> None:
    with pytest.raises(ValueError, match="another"), told_if_full():
        raise ValueError("another")
    free.free = 0
    with pytest.raises(UsageError, match="what is written in the store stays"), told_if_full():
        raise ValueError("a server's 500")
    with pytest.raises(Damaged), told_if_full():
        raise Damaged("has a sentence of its own")
    with pytest.raises(KeyboardInterrupt), told_if_full():
        raise KeyboardInterrupt


def test_the_needed_room_is_more_than_what_is_full() -> None:
    assert database_space._LEAST < NEEDED


def _url(path: Path) -> str:
    return f"sqlite+aiosqlite:///{path}"
