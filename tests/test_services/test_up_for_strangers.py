"""`genre up` among other users of its machine: the API, the ports and the files are its owner's."""

from __future__ import annotations

import shutil
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from command import Genre
from dashboard_pages import CHROMIUM, dashboards
from deployment_runs import free_port
from prefect_server import Server, prefect_server
from stranger import listening, stranger
from tiny_fma import write_tiny_fma

pytestmark = pytest.mark.services


@dataclass(frozen=True)
class Up:
    """A detached `genre up` in a folder that everybody may enter."""

    genre: Genre
    result: dict[str, Any]
    said: str

    @property
    def home(self) -> Path:
        return self.genre.folder / "prefect"

    @property
    def password(self) -> str:
        return Path(self.result["password"]).read_text()

    def processes(self) -> list[psutil.Process]:
        roots = [psutil.Process(pid) for pid in self.result["processes"].values()]
        return [*roots, *(each for root in roots for each in root.children(recursive=True))]


@pytest.fixture(scope="module")
def up() -> Iterator[Up]:
    folder = Path(tempfile.mkdtemp(prefix="genre-open-"))
    folder.chmod(0o755)
    (folder / "prefect").mkdir(mode=0o755)
    write_tiny_fma(folder / "fma")
    genre = Genre(folder)
    started = genre("up", "--detach", "--json", "--data", "fma", "--port", str(free_port()))
    try:
        assert started.code == 0, started.err
        yield Up(genre, started.json, started.out + started.err)
    finally:
        genre("down")
        shutil.rmtree(folder)


def test_what_asks_nobody_would_be_found(tmp_path: Path) -> None:
    """Against Prefect's server as it is by itself the same tries succeed."""
    with prefect_server(tmp_path) as server, stranger() as other:
        found = other.tries([int(server.api.split(":")[2].removesuffix("/api"))], [])
    assert any("/api/block_documents/filter" in each for each in found["http"])
    assert any("/api/flows/" in each for each in found["http"])
    assert len(found["events"]) == 2


def test_another_user_is_let_in_nowhere(up: Up) -> None:
    with stranger() as other:
        ports = listening(up.processes())
        found = other.tries(ports, [up.home])
    # the server, and each worker's channel to its runs, which takes a token that each run is handed
    assert len(ports) == 3
    assert found["dask"] == found["events"] == found["files"] == []
    pages = [each for each in found["http"] if "/api/" in each.partition(": b")[0]]
    assert pages == [], "the pages themselves tell nothing; what they ask for does"


def test_its_owner_is_told_where_the_password_lies(up: Up) -> None:
    file = Path(up.result["password"])
    assert file == up.home / "genre-up" / "password"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert up.password not in up.said
    again = up.genre("up")
    assert again.code == 0, again.err
    assert f"in {file}, for the dashboard" in again.out
    assert up.password not in again.out + again.err
    commands = [" ".join(process.cmdline()) for process in up.processes()]
    assert not [each for each in commands if up.password in each]
    assert up.password not in "".join(log.read_text() for log in file.parent.glob("*.log"))


def test_commands_of_its_owner_log_in_by_themselves_and_no_other_home_does(
    up: Up, tmp_path: Path
) -> None:
    given = ("features", "--data", "fma", "--preset", "notebook", "--workers", "1")
    api = {"PREFECT_API_URL": up.result["api"]}
    done = up.genre(*given, "--store", tmp_path / "store", "--json", **api)
    assert done.code == 0, done.err
    server = Server(up.result["api"], {"PREFECT_API_AUTH_STRING": up.password})
    runs = server.post("flow_runs/filter", {})
    assert [run["state_type"] for run in runs if run["deployment_id"] is None] == ["COMPLETED"]
    other = Genre(tmp_path, api)
    for command, says in (
        (("up", "--data", "demo"), "asks for a password; set PREFECT_API_AUTH_STRING"),
        (("features", "--data", up.genre.folder / "fma"), "refuses the login; set PREFECT_API_AUT"),
    ):
        refused = other(*command)
        (sentence,) = [line for line in refused.err.splitlines() if line.startswith("genre: ")]
        assert (refused.code, refused.out) == (2, "")
        assert says in sentence


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on the path: apt-get install chromium")
def test_the_dashboards_ask_for_the_password(up: Up, tmp_path: Path) -> None:
    with dashboards(up.result["dashboard"], tmp_path) as found:
        for each in found.values():
            each.page.goto(f"{each.address}/deployments")
            field = each.page.locator("input[type=password]").first
            field.wait_for()
            each.save("asked")
            assert each.page.get_by_text("predict-tracks").count() == 0
            field.fill(up.password)
            field.press("Enter")
            each.page.get_by_text("predict-tracks").first.wait_for()
            each.save("let-in")


def test_down_forgets_it(up: Up) -> None:
    assert up.genre("down").code == 0
    assert not Path(up.result["password"]).exists()
