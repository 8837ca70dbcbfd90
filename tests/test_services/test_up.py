"""`genre up` as a user runs it: everything starts, works together, and goes again."""

from __future__ import annotations

import contextlib
import http.server
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from command import Ended, Genre
from limits import STEP_S
from prefect_server import Server, finished_run
from tiny_fma import write_tiny_fma

pytestmark = pytest.mark.services

MARK = "GENRE_UP_TEST"


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def wait_for(what: Callable[[], Any], *, limit_s: float = STEP_S) -> Any:
    deadline = time.monotonic() + limit_s
    while not (found := what()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.5)
    return found


@dataclass(frozen=True)
class Up:
    """A `genre up` in the foreground of a terminal of its own."""

    process: subprocess.Popen[str]
    genre: Genre
    server: Server
    result: dict[str, Any]
    told: list[dict[str, Any]]
    mark: str

    def started(self) -> list[psutil.Process]:
        """List what it has started and what that has started, by a mark that all inherit."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                if process.environ().get(MARK) == self.mark and process.pid != self.process.pid:
                    found.append(process)
        return [each for each in found if each.status() != psutil.STATUS_ZOMBIE]

    def run(self, name: str, **parameters: Any) -> Any:
        """Start a run of the deployment of this name."""
        found = self.server.post("deployments/filter", {})
        (deployment,) = [each for each in found if each["name"] == name]
        path = f"deployments/{deployment['id']}/create_flow_run"
        return self.server.post(path, {"parameters": parameters})


@pytest.fixture(scope="module")
def told() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Listen for what a webhook is told."""
    heard: list[dict[str, Any]] = []

    class Listener(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Listener) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/", heard
        server.shutdown()


@pytest.fixture(scope="module")
def up(
    tmp_path_factory: pytest.TempPathFactory, told: tuple[str, list[dict[str, Any]]]
) -> Iterator[Up]:
    folder, mark, address = tmp_path_factory.mktemp("up"), uuid.uuid4().hex, told[0]
    write_tiny_fma(folder / "fma")
    home = {"PREFECT_HOME": str(folder / "prefect")}
    command = [
        sys.executable,
        "-m",
        "flows.command.cli",
        "up",
        "--json",
        "--port",
        str(free_port()),
    ]
    with (folder / "err").open("w") as err:
        process = subprocess.Popen(
            [*command, "--data", "fma", "--store", "store", "--webhook", address],
            cwd=folder,
            env={**os.environ, **home, MARK: mark},
            stdout=subprocess.PIPE,
            stderr=err,
            text=True,
            start_new_session=True,
        )
    assert process.stdout is not None
    text = ""
    while line := process.stdout.readline():
        text += line
        if line == "}\n":
            break
    assert text, (folder / "err").read_text()
    result = json.loads(text)
    login = {"PREFECT_API_AUTH_STRING": Path(result["password"]).read_text()}
    server = Server(
        result["api"], {**os.environ, **home, "PREFECT_API_URL": result["api"], **login}
    )
    running = Up(process, Genre(folder, home), server, result, told[1], mark)
    yield running
    process.kill()
    process.wait()
    for each in running.started():
        with contextlib.suppress(psutil.NoSuchProcess):
            each.kill()


def test_it_prints_the_dashboard_and_the_deployments_work_on_the_users_data(up: Up) -> None:
    assert up.server.get("health") is True
    assert up.result["dashboard"] == up.result["api"].removesuffix("/api")
    found = {each["name"]: each for each in up.server.post("deployments/filter", {})}
    assert set(found) == set(up.result["deployments"])
    folder = up.genre.folder
    assert found["full-run"]["parameters"] == {
        "data": str(folder / "fma"),
        "store": str(folder / "store"),
        "train_on": "train-model/train-model",
    }
    assert found["predict-tracks"]["parameters"] == {"store": str(folder / "store")}
    assert found["full-run"]["schedules"][0]["active"] is True
    pools = {each["name"]: each for each in up.server.post("work_pools/filter", {})}
    assert pools["gpu"]["concurrency_limit"] == 1
    automations = {each["name"] for each in up.server.post("automations/filter", {})}
    assert automations >= {*up.result["automations"], "genre-train-when-features-are-ready"}


def test_everything_listens_on_loopback_only(up: Up) -> None:
    listening = {
        connection.laddr.ip
        for process in up.started()
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert listening == {"127.0.0.1"}


def test_a_second_one_finds_the_first(up: Up) -> None:
    before = {process.pid for process in up.started()}
    second = up.genre("up", "--json")
    assert second.code == 0
    assert second.json["already_running"] is True
    assert second.json["dashboard"] == up.result["dashboard"]
    assert second.json["processes"] == up.result["processes"]
    assert {process.pid for process in up.started()} == before


def deployments(up: Up) -> list[dict[str, object]]:
    """List the deployments without what their workers change."""
    changing = {"updated", "status", "last_polled"}
    found = up.server.post("deployments/filter", {})
    return [{key: each[key] for key in each if key not in changing} for each in found]


def test_a_second_one_that_is_to_be_another_is_refused(up: Up) -> None:
    before = deployments(up)
    port = up.result["api"].rsplit(":", 1)[1].removesuffix("/api")
    for given, running in (
        (("--data", "demo"), f"--data {up.genre.folder / 'fma'}"),
        (("--store", "other"), f"--store {up.genre.folder / 'store'}"),
        (("--port", "4199"), f"--port {port}"),
        (("--webhook", "https://other.example.org"), "another --webhook"),
        (("--hour", "4"), "--hour 3"),
    ):
        ended = up.genre("up", *given)
        (sentence,) = [line for line in ended.err.splitlines() if line.startswith("genre: ")]
        assert (ended.code, ended.out) == (2, "")
        assert f"`genre up` is running with {running}" in sentence
        assert "stop it with `genre down` first" in sentence
    assert deployments(up) == before


def test_one_of_another_home_is_told_whose_the_deployments_are(up: Up, tmp_path: Path) -> None:
    before = deployments(up)
    login = {name: up.server.env[name] for name in ("PREFECT_API_URL", "PREFECT_API_AUTH_STRING")}
    ended = Genre(tmp_path, login)("up", "--data", "demo")
    (sentence,) = [line for line in ended.err.splitlines() if line.startswith("genre: ")]
    assert (ended.code, ended.out) == (2, "")
    assert f"PREFECT_HOME {up.genre.folder / 'prefect'}" in sentence
    assert f"data from {up.genre.folder / 'fma'} to demo (build-features, full-run)" in sentence
    assert f"store from {up.genre.folder / 'store'} to {tmp_path / 'genre-store'}" in sentence
    after = up.server.post("deployments/filter", {})
    assert [(each["id"], each["parameters"]) for each in after] == [
        (each["id"], each["parameters"]) for each in before
    ]


def test_the_first_one_tells_what_somebody_has_changed_since(up: Up) -> None:
    found = up.server.post("deployments/filter", {})
    (full,) = [each for each in found if each["name"] == "full-run"]
    was = full["parameters"]
    up.server.patch(f"deployments/{full['id']}", {"parameters": {**was, "data": "demo"}})
    try:
        told = up.genre("up", "--json").json
    finally:
        up.server.patch(f"deployments/{full['id']}", {"parameters": was})
    assert told["data"] == "demo"
    assert told["remarks"][0] == f"data of full-run is demo, no longer {up.genre.folder / 'fma'}"
    assert up.genre("up", "--json").json["remarks"] == []


def test_a_failed_run_is_told_to_the_webhook(up: Up) -> None:
    started = up.run("predict-tracks", folder="relative")
    run = finished_run(up.server, started["id"])
    assert run["state_type"] == "FAILED"
    assert "give an absolute path" in run["state"]["message"]
    message = wait_for(lambda: [*up.told])[0]
    assert message["automation"] == "genre-run-failed"
    assert message["resource"] == f"prefect.flow-run.{started['id']}"
    assert "give an absolute path" in message["text"]


def test_features_that_are_built_alone_start_a_training_in_the_gpu_pool(up: Up) -> None:
    built = finished_run(up.server, up.run("build-features", preset="notebook", workers=1)["id"])
    assert built["state_type"] == "COMPLETED", built["state"]["message"]

    def trainings() -> list[Any]:
        runs = up.server.post("flow_runs/filter", {})
        return [each for each in runs if each["work_pool_name"] == "gpu"]

    (training,) = wait_for(trainings)
    catalogues = [path.stem for path in (up.genre.folder / "store" / "catalogues").iterdir()]
    assert training["parameters"] == {
        "store": str(up.genre.folder / "store"),
        "catalogue": catalogues[0],
        "preset": "notebook",
        "storage_block": None,
    }


def test_too_many_refused_tracks_are_told_to_the_webhook(up: Up) -> None:
    run = up.run("build-features", preset="notebook", workers=1, max_quarantined=0)
    assert finished_run(up.server, run["id"])["state_type"] == "FAILED"

    def told() -> list[dict[str, Any]]:
        return [each for each in up.told if each["automation"] == "genre-too-many-quarantined"]

    (message,) = wait_for(told)
    assert message["event"] == "genre.features.quarantined"
    assert "1 of 29 tracks" in message["text"]
    assert "1 missing; the ledger is" in message["text"]


def test_the_model_is_evaluated_and_predicts_a_folder(up: Up) -> None:
    runs = up.server.post("flow_runs/filter", {})
    (training,) = [each for each in runs if each["work_pool_name"] == "gpu"]
    assert finished_run(up.server, training["id"])["state_type"] == "COMPLETED"
    evaluated = finished_run(up.server, up.run("evaluate-model")["id"])
    assert evaluated["state_type"] == "COMPLETED", evaluated["state"]["message"]
    new = up.genre.folder / "new"
    shutil.copytree(up.genre.folder / "fma" / "fma_small", new)
    (new / "broken.mp3").write_bytes(b"not audio at all")
    predicted = finished_run(up.server, up.run("predict-tracks", folder=str(new))["id"])
    assert predicted["state_type"] == "COMPLETED", predicted["state"]["message"]
    artifacts = up.server.post("artifacts/latest/filter", {})
    (table,) = [json.loads(each["data"]) for each in artifacts if each["key"] == "predictions"]
    by_file = {row["file"]: row for row in table}
    assert len(table) == 29
    assert by_file["broken.mp3"]["status"] == "undecodable"
    assert {row["genre"] for row in table} <= {"", "Electronic", "Rock"}
    assert len(list((up.genre.folder / "store" / "predictions").rglob("*.parquet"))) == 1


def test_ctrl_c_stops_all_that_it_started_and_nothing_else(up: Up) -> None:
    # A worker of somebody else's, of the same pool and server.
    bystander = subprocess.Popen(
        [sys.executable, "-m", "prefect", "worker", "start", "--pool", "cpu", "--name", "other"],
        env=up.server.env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        assert up.process.poll() is None
        assert len(up.started()) >= 3
        os.killpg(up.process.pid, signal.SIGINT)
        assert up.process.wait(STEP_S) == 0
        assert up.started() == []
        assert bystander.poll() is None
    finally:
        os.killpg(bystander.pid, signal.SIGKILL)
        bystander.wait()
    with pytest.raises(OSError, match="refused"):
        up.server.get("health")
    assert down(up.genre).json["stopped"] == []


@pytest.mark.parametrize("end", ["SIGTERM", "down"])
def test_sigterm_is_an_interruption_and_down_an_end(end: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "flows.command.cli", "up", "--json"]
    genre, mark = Genre(tmp_path), uuid.uuid4().hex
    with (tmp_path / "out").open("w") as out, (tmp_path / "err").open("w") as err:
        process = subprocess.Popen(
            [*command, "--port", str(free_port()), "--timezone", "Asia/Tokyo", "--hour", "22"],
            cwd=tmp_path,
            env={**os.environ, "PREFECT_HOME": str(tmp_path / "prefect"), MARK: mark},
            stdout=out,
            stderr=err,
            start_new_session=True,
        )
    its = Up(process, genre, Server("", {}), {}, [], mark)  # type: ignore[arg-type]
    said = lambda: (tmp_path / "err").read_text()  # noqa: E731
    try:
        wait_for(
            lambda: "Ctrl-C stops it" in said() or process.poll() is not None,
        )
        result = json.loads((tmp_path / "out").read_text())
        if end == "SIGTERM":
            process.terminate()
        else:
            assert set(down(genre).json["stopped"]) == set(result["processes"])
        status = process.wait(STEP_S)
        assert its.started() == []
    finally:
        process.kill()
        for each in its.started():
            with contextlib.suppress(psutil.NoSuchProcess):
                each.kill()
    assert (result["cron"], result["timezone"]) == ("0 22 * * *", "Asia/Tokyo")
    assert result["hour"] == 22
    sentences = [line for line in said().splitlines() if line.startswith("genre: ")]
    assert "Traceback" not in said()
    if end == "SIGTERM":
        assert status == 143
        assert sentences == ["genre: terminated; the same command goes on where it stopped"]
    else:
        assert (status, sentences) == (0, [])
    assert not (tmp_path / "prefect" / "genre-up" / "state.json").exists()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("--timezone", "Zurich"), "--timezone is 'Zurich', which is no time zone"),
        (("--hour", "24"), "--hour is '24', which is no hour"),
    ],
)
def test_a_zone_or_an_hour_that_is_none_is_refused(
    given: tuple[str, str], said: str, tmp_path: Path
) -> None:
    ended = Genre(tmp_path)("up", *given)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith(f"genre: {said}")
    assert ended.err.count("\n") == 1
    assert not (tmp_path / "prefect" / "genre-up" / "server.log").exists()


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that nobody has reaped does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def down(genre: Genre) -> Ended:
    ended = genre("down", "--json")
    assert ended.code == 0, ended.err
    return ended


def test_detached_it_goes_on_until_down(tmp_path: Path) -> None:
    genre = Genre(tmp_path)
    port = str(free_port())
    started = genre("up", "--detach", "--json", "--port", port)
    try:
        assert started.code == 0, started.err
        processes = started.json["processes"]
        assert set(processes) == {"server", "worker cpu", "worker gpu"}
        assert all(psutil.pid_exists(pid) for pid in processes.values())
        assert started.json["store"] == str(tmp_path / "genre-store")
    finally:
        stopped = down(genre)
    assert set(stopped.json["stopped"]) == set(processes)
    assert not any(is_alive(pid) for pid in processes.values())
    assert down(genre).json["stopped"] == []


def test_a_port_that_something_else_holds_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        ended = Genre(tmp_path)("up", "--port", str(port))
    assert ended.code == 2
    assert ended.out == ""
    lines = [line for line in ended.err.splitlines() if line.startswith("genre: ")]
    assert lines == [
        f"genre: port {port} of 127.0.0.1 is taken by something that is no Prefect server; "
        "name another one with --port"
    ]


def test_a_server_of_another_machine_is_not_started_here(tmp_path: Path) -> None:
    ended = Genre(tmp_path)("up", PREFECT_API_URL="http://192.0.2.1:4200/api")
    assert ended.code == 2
    assert "which is another machine" in ended.err
    both = Genre(tmp_path)("up", "--port", "4300", PREFECT_API_URL="http://127.0.0.1:4200/api")
    assert both.code == 2
    assert "--port is 4300" in both.err
