"""Services are ended in order, by force where they do not listen, and nobody else is."""

from __future__ import annotations

import functools
import json
import os
import signal
import subprocess
import sys
import textwrap
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from fault_processes import wait_until
from limits import STEP_S

from flows.results import UpResult
from flows.up import services, state
from flows.up.services import SERVER, Service
from flows.up.state import Running

DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); {}; time.sleep(300)"
RESULT = UpResult(
    dashboard="http://127.0.0.1:1",
    api="http://127.0.0.1:1/api",
    server="started",
    data="demo",
    store="/music/store",
    scheduler=None,
    storage_block=None,
    pools=("cpu", "gpu"),
    deployments=("full-run",),
    automations=(),
    alerts=None,
    processes={SERVER: 7},
    state="/prefect/genre-up",
    seconds=1.5,
    detached=False,
)
CHILD = "import subprocess; subprocess.Popen(['sleep', '301'], start_new_session=True)"


@pytest.fixture
def mark(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(services, "SERVICE_LIMIT_S", 0.5)
    found = uuid.uuid4().hex
    yield found
    for process in services.orphans.marked(found, variable=services.MARK):
        process.kill()


def start(role: str, mark: str, folder: Path, *code: str) -> Service:
    command = [sys.executable, "-c", DEAF.format("; ".join(code) or "pass")] if code else None
    return Service.start(
        role, command or ["sleep", "300"], env={services.MARK: mark}, log=folder / "log"
    )


def test_workers_end_before_their_server_and_deaf_ones_and_grandchildren_are_killed(
    mark: str, tmp_path: Path
) -> None:
    server = start(SERVER, mark, tmp_path)
    worker = start("worker cpu", mark, tmp_path, CHILD)
    bystander = subprocess.Popen(["sleep", "302"])
    said: list[str] = []
    try:
        marked = functools.partial(services.orphans.marked, mark, variable=services.MARK)
        wait_until(lambda: len(marked()) >= 3, what="the worker has a child")
        assert services.stop([server, worker], mark=mark, say=said.append) == [
            SERVER,
            "worker cpu",
        ]
        assert said == ["stopping the worker cpu", "stopping the server"]
        assert services.orphans.marked(mark, variable=services.MARK) == []
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_a_process_that_was_given_a_dead_ones_pid_is_left_alone(mark: str, tmp_path: Path) -> None:
    stranger = subprocess.Popen(["sleep", "300"], start_new_session=True)
    try:
        known = services.identity(stranger.pid)
        gone = replace(known, started=known.started - 3_600)
        service = Service(role=SERVER, process=gone, log=str(tmp_path / "log"))
        assert services.stop([service], mark=mark, say=print) == []
        assert psutil.pid_exists(stranger.pid)
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_the_state_is_read_as_it_was_written_and_nonsense_is_none(
    mark: str, tmp_path: Path
) -> None:
    service = start(SERVER, mark, tmp_path)
    running = Running(
        mark=mark,
        services=(service,),
        result=RESULT,
        supervisor=services.identity(os.getpid()),
    )
    running.write(tmp_path)
    assert state.read(tmp_path) == running
    assert running.is_whole
    services.stop([service], mark=mark, say=lambda _: None)
    assert not running.is_whole
    state.forget(tmp_path)
    assert state.read(tmp_path) is None
    (tmp_path / "state.json").write_text('{"mark": 7}')
    assert state.read(tmp_path) is None


def test_the_end_of_a_log_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("a\n\n  b\nc\n")
    assert services.tail(tmp_path / "log") == f"{tmp_path / 'log'} ends with: a / b / c"


SERVES = """
    import json, pathlib, signal, sys
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # whatever started the tests; nohup ignores it
    from flows.command import console, run
    from flows.results import UpResult
    from flows.up import services, starting
    from flows.up.state import Running

    folder, mark, result = pathlib.Path(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3])
    service = services.Service.start(
        "server", ["sleep", "300"], env={services.MARK: mark}, log=folder / "log"
    )
    running = Running(mark=mark, services=(service,), result=UpResult.from_dict(result))
    running.write(folder)
    starting.start, starting.Asked = lambda _asked: running, lambda **_asked: None
    sys.exit(console.run(lambda: run.up(as_json=True, said=())))
"""


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ([signal.SIGINT], 0),
        ([signal.SIGHUP], 0),
        ([signal.SIGUSR1], 0),  # what `genre down` sends
        ([signal.SIGTERM], 143),
        ([signal.SIGTERM, signal.SIGTERM, signal.SIGINT], 143),
    ],
)
def test_how_it_ends_is_told_by_its_status_and_nothing_is_left(
    sent: list[signal.Signals], status: int, tmp_path: Path
) -> None:
    mark = uuid.uuid4().hex
    result = json.dumps(replace(RESULT, state=str(tmp_path)).to_dict())
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(SERVES), str(tmp_path), mark, result],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stderr is not None
        assert process.stderr.readline() == "Ctrl-C stops it\n"
        process.send_signal(sent[0])
        # of several that wait, Python hears the lowest number first
        said = process.stderr.readline() if sent[1:] else ""
        for each in sent[1:]:
            process.send_signal(each)
        said += process.stderr.read()
        assert process.wait(STEP_S) == status, said
        assert services.orphans.marked(mark, variable=services.MARK) == []
    finally:
        process.kill()
        for each in services.orphans.marked(mark, variable=services.MARK):
            each.kill()
    sentences = [line for line in said.splitlines() if line.startswith("genre: ")]
    told = ["genre: terminated; the same command goes on where it stopped"]
    assert sentences == (told if status else [])
    assert not (tmp_path / "state.json").exists()
