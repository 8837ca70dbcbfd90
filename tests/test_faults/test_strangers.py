"""Other users of the machine: a run's ports tell them nothing, and its files are not theirs.

Each of them reaches what listens on loopback; what of it asks nobody who they are would run their
code as the user of the run, and hand them its credentials.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from distributed import LocalCluster
from fault_genre import Genre
from fault_processes import Started, nothing_left, wait_until
from stranger import listening, stranger

from flows.dashboard.login import SERVER

pytestmark = pytest.mark.faults


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Give a folder that everybody may enter, where pytest's own are closed."""
    folder = Path(tempfile.mkdtemp(prefix="genre-open-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def own_ports() -> set[int]:
    """List the ports on which this process and those that it started listen."""
    own = psutil.Process()
    return set(listening([own, *own.children(recursive=True)]))


def test_what_asks_nobody_would_be_found() -> None:
    """Against Dask as it is by itself the same tries succeed, and so they are worth something."""
    before = own_ports()
    with (
        LocalCluster(n_workers=1, dashboard_address="127.0.0.1:0") as cluster,
        stranger() as other,
    ):
        found = other.tries(sorted(own_ports() - before), [])
        assert any("run_function" in each and "65534" not in each for each in found["dask"])
        assert sum(" run: " in each for each in found["dask"]) >= 2, "worker and nanny"
        assert any("workers.html" in each for each in found["http"])
        assert cluster.status.name == "running"


def test_a_run_and_its_temporary_server_are_its_owners(data: Path, open_folder: Path) -> None:
    temporary, home = open_folder / "tmp", open_folder / "prefect"
    for folder in (temporary, home):
        folder.mkdir()
        folder.chmod(0o755)
    genre = Genre(
        open_folder / "run",
        {"PREFECT_API_URL": None, "PREFECT_HOME": str(home), "TMPDIR": str(temporary)},
    )
    store = genre.folder / "store"
    arguments = ("features", "--data", data, "--store", store, "--workers", 1, "--json")
    with stranger() as other, nothing_left(genre.start(*arguments)) as run:
        wait_until(lambda: run.decoders() != [], what="the first shard")
        _no_secret_in_arguments(run)
        ports = listening([psutil.Process(run.process.pid), *run.descendants()])
        found = other.tries(ports, [temporary, home])
        assert run.process.poll() is None, "it ended too early to be tried"
        assert found == {"dask": [], "http": [], "events": [], "files": []}
        # the server, the scheduler, a nanny and its worker: no pages
        assert len(ports) == 4
        assert 8787 not in ports
        assert run.wait() == 0, run.said
    assert "genre:" not in run.out.read_text()
    wait_until(lambda: list(temporary.iterdir()) == [], what="nothing left behind")


def _no_secret_in_arguments(run: Started) -> None:
    commands, passwords = [], set()
    for process in run.descendants():
        with contextlib.suppress(psutil.Error):
            commands.append(" ".join(process.cmdline()))
            passwords.add(process.environ().get(SERVER, ""))
    (password,) = passwords - {""}
    assert not [each for each in commands if password in each or "PRIVATE KEY" in each]
