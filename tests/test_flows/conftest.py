"""Fixtures of the flows' tests."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from command import Ended, Genre
from tiny_fma import write_tiny_fma

from flows.command.cli import main
from flows.dashboard import temporary_server
from flows.engine import progress


@pytest.fixture
def genre(tmp_path: Path) -> Genre:
    """Give the command, to be run in an empty folder."""
    return Genre(tmp_path)


@pytest.fixture
def called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., Ended]]:
    """Give the command in this process, in an empty folder, where no server may be started."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith(("GENRE_", "PREFECT_API"))]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(progress, "_display", progress._display)
    monkeypatch.setattr(temporary_server, "start", lambda **_: pytest.fail("a server was started"))
    before, environment = signal.getsignal(signal.SIGTERM), dict(os.environ)

    def call(*arguments: str) -> Ended:
        with pytest.raises(SystemExit) as stop:
            main(arguments)
        assert isinstance(stop.value.code, int)
        return Ended(stop.value.code, *capfd.readouterr())

    yield call
    signal.signal(signal.SIGTERM, before)
    os.environ.clear()
    os.environ.update(environment)


@pytest.fixture(scope="session")
def tiny_fma(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a data set of 29 tracks."""
    folder = tmp_path_factory.mktemp("fma")
    write_tiny_fma(folder)
    return folder
