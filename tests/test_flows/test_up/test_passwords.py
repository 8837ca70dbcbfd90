"""What `genre up` keeps is its owner's alone, and its password is found by the next command."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prefect.context import refresh_global_settings_context

from flows.dashboard import login, server_database
from flows.results import UpResult
from flows.up import local_server, passwords, private, state
from flows.up.services import Service
from flows.up.state import Running
from storage.places.processes import this_process

RESULT: dict[str, Any] = {
    "dashboard": "http://127.0.0.1:4300",
    "api": "http://127.0.0.1:4300/api",
    "server": "started",
    "data": "demo",
    "store": "/store",
    "scheduler": None,
    "storage_block": None,
    "pools": (),
    "deployments": (),
    "automations": (),
    "alerts": None,
    "processes": {},
    "seconds": 1.0,
    "detached": True,
}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Give Prefect settings of the test's own, and take back what it logs in with."""
    for name in (login.CLIENT, login.SERVER, "PREFECT_API_URL"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "prefect"))
    refresh_global_settings_context()
    yield
    monkeypatch.undo()
    refresh_global_settings_context()


@pytest.fixture
def folder() -> Path:
    found = state.folder()
    private.make_folder(found)
    return found


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def running(folder: Path, file: Path | None) -> Running:
    service = Service(role="server", process=this_process(), log=str(folder / "server.log"))
    result = UpResult(**RESULT, state=str(folder), password=None if file is None else str(file))
    return Running(mark="mark", services=(service,), result=result)


def test_all_of_it_is_its_owners(folder: Path) -> None:
    old = os.umask(0)
    try:
        folder.chmod(0o755)
        (folder / "lock").touch(0o666)
        with state.one_at_a_time(folder):
            _, file = passwords.of_new_server(folder)
            running(folder, file).write(folder)
        for name in ("server.log", "worker-cpu.log"):
            Service.start("server", ["true"], env={}, log=folder / name)
        os.environ["PREFECT_SERVER_DATABASE_CONNECTION_URL"] = f"sqlite:///{folder}/its/p.db"
        refresh_global_settings_context()
        server_database.make_private()
    finally:
        os.umask(old)
        os.environ.pop("PREFECT_SERVER_DATABASE_CONNECTION_URL", None)
    assert {path.name: oct(mode(path)) for path in (folder, *folder.rglob("*"))} == {
        "genre-up": "0o700",
        "its": "0o700",
        **dict.fromkeys(("lock", "password", "state.json"), "0o600"),
        **dict.fromkeys(("server.log", "worker-cpu.log", "p.db"), "0o600"),
    }


def test_a_password_is_new_each_time_and_tells_nothing_in_state(folder: Path) -> None:
    first, file = passwords.of_new_server(folder)
    second, again = passwords.of_new_server(folder)
    assert file == again == folder / "password"
    assert first != second == file.read_text()
    assert len(second) > 30
    its = running(folder, file)
    its.write(folder)
    assert second not in (folder / "state.json").read_text()
    passwords.forget(folder)
    assert not file.exists()


@pytest.mark.parametrize("name", [login.CLIENT, login.SERVER])
def test_the_users_own_is_used_and_kept_nowhere(
    name: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "anna:sesame")
    refresh_global_settings_context()
    assert passwords.of_new_server(folder) == ("anna:sesame", None)
    assert list(folder.iterdir()) == []


def test_a_command_logs_in_to_the_server_of_its_own_home(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    word, file = passwords.of_new_server(folder)
    running(folder, file).write(folder)
    for api, told in (
        ("http://127.0.0.1:4200/api", None),
        ("http://127.0.0.1:4300/api", word),
    ):
        monkeypatch.setenv("PREFECT_API_URL", api)
        refresh_global_settings_context()
        passwords.log_in_to_own()
        assert local_server.password() == told
    assert os.environ[login.CLIENT] == word
    os.environ[login.CLIENT] = "anna:sesame"
    refresh_global_settings_context()
    passwords.log_in_to_own()
    assert local_server.password() == "anna:sesame"


def test_a_server_of_somebody_else_is_not_told_the_password(folder: Path) -> None:
    """Where the own server has ended, whatever listens there now is another one's."""
    _, file = passwords.of_new_server(folder)
    its = running(folder, file)
    gone = [Service(role="server", process=_ended(), log="")]
    passwords.log_in(Running(mark=its.mark, services=tuple(gone), result=its.result))
    assert local_server.password() is None


def _ended() -> Any:
    from dataclasses import replace

    return replace(this_process(), started=1.0)
