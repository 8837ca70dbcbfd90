"""What the fault tests share: a data set, an undisturbed store, workers, a Prefect server."""

from __future__ import annotations

import shutil
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import dask.config
import pytest
from distributed import Client
from fault_data import link_data, track_ids, write_data
from fault_engine import WORKERS, Order, build, warm
from fault_genre import Genre
from fault_kills import NOTES, TALLIES
from fault_processes import nothing_left, start, wait_until
from fault_results import result
from fault_runs import Runs, problems_of
from fault_stores import FeaturesFolder
from limits import TRY_S

from flows.engine.cluster import dask_client
from flows.engine.local.certificate import as_environment
from genre_model.data.fma.subset_tracks import audio_path
from genre_model.frontends import preset
from storage.array.plans import AudioState
from storage.places.address import parse_location

TRACKS = 384
"""Six shards."""


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say for every suite what its kills hit, and what was measured."""
    for suite, found in TALLIES.items():
        terminalreporter.write_line(f"{suite}: {found.sentence}")
    for note in NOTES:
        terminalreporter.write_line(note)


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a data set of six shards."""
    folder = tmp_path_factory.mktemp("data")
    write_data(folder, TRACKS, seed=12)
    return folder


@pytest.fixture(scope="session")
def template(data: Path) -> Order:
    """Give an order for all tracks, without a store."""
    return Order(
        store=Path(),
        data=data,
        wanted=audio_states(data, track_ids(TRACKS)),
        extractor=preset("default").build(),
    )


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Path]:
    """Give a place for a store, which is deleted at the end: it is large."""
    yield tmp_path / "store"
    shutil.rmtree(tmp_path / "store", ignore_errors=True)


@pytest.fixture(scope="session")
def client() -> Iterator[Client]:
    """Run two workers for the whole session; their nannies replace them when they are killed."""
    with dask_client(workers=WORKERS) as client:
        warm(client)
        yield client


@pytest.fixture(scope="session")
def scheduler(client: Client) -> Iterator[str]:
    """Give the address by which `--scheduler` joins the session's workers.

    Commands are let in by the key of these workers, as Dask's own settings give it.
    """
    assert client.scheduler is not None
    settings = as_environment(client.security)
    del settings["DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION"]  # others are joined in clear
    with pytest.MonkeyPatch.context() as environment:
        for name, value in settings.items():
            environment.setenv(name, value)
        dask.config.refresh()  # for the flows of this process
        yield str(client.scheduler.address)
    dask.config.refresh()


@pytest.fixture(scope="session")
def undisturbed(
    template: Order, client: Client, tmp_path_factory: pytest.TempPathFactory
) -> FeaturesFolder:
    """Write all tracks on the session's workers, and leave them alone."""
    order = replace(template, store=tmp_path_factory.mktemp("undisturbed") / "store")
    build(order, client)
    return FeaturesFolder(order.features)


@pytest.fixture(scope="session")
def prefect_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run a Prefect server for the runs that need not start their own."""
    folder = tmp_path_factory.mktemp("server")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = ["-m", "prefect", "server", "start", "--no-ui", "--host", "127.0.0.1"]
    server = start(
        [sys.executable, *command, "--port", str(port)],
        folder=folder,
        PREFECT_HOME=str(folder),
        PREFECT_API_URL=None,
    )
    with nothing_left(server):
        url = f"http://127.0.0.1:{port}/api"
        wait_until(lambda: _answers(f"{url}/health"), what=f"{url} answers")
        yield url


@pytest.fixture
def genre(tmp_path: Path, prefect_api: str) -> Genre:
    """Give the command, which tells its runs to the session's server."""
    return Genre(tmp_path / "genre", {"PREFECT_API_URL": prefect_api})


@pytest.fixture
def genre_alone(tmp_path: Path) -> Genre:
    """Give the command, which starts a temporary server in every run."""
    return Genre(tmp_path / "genre", {"PREFECT_API_URL": None})


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory, scheduler: str) -> Runs:
    """Write 60 tracks, and a data folder of the first 40 of them."""
    folder = tmp_path_factory.mktemp("small")
    ids = write_data(folder / "grown", 60, seed=3)
    predicted = folder / "predicted"
    predicted.mkdir()
    for track_id in ids[-3:]:
        source = folder / "grown" / audio_path(track_id)
        (predicted / source.name).hardlink_to(source)
    return Runs(
        first=link_data(folder / "grown", folder / "first", ids[:40]),
        grown=folder / "grown",
        predicted=predicted,
        scheduler=scheduler,
    )


@pytest.fixture(scope="session")
def tells_the_server(prefect_api: str) -> Iterator[None]:
    """Tell the flows of this process to the session's server."""
    from prefect.settings import (
        PREFECT_API_URL,
        PREFECT_LOGGING_TO_API_ENABLED,
        temporary_settings,
    )

    given = {PREFECT_API_URL: prefect_api, PREFECT_LOGGING_TO_API_ENABLED: False}
    with temporary_settings(given):
        yield


@pytest.fixture(scope="session")
def proven(runs: Runs, tells_the_server: None, tmp_path_factory: pytest.TempPathFactory) -> Path:  # noqa: ARG001
    """Make the store that is damaged: two plans, two models, a champion, a folder predicted."""
    store = tmp_path_factory.mktemp("proven") / "store"
    runs.make(store)
    assert problems_of(store) == []
    return store


@pytest.fixture(scope="session")
def expected(proven: Path) -> dict[str, Any]:
    """Read what its runs have come to."""
    return result(proven)


def audio_states(data: Path, ids: list[int]) -> tuple[AudioState, ...]:
    """List the audio of some tracks as a run finds it."""
    entries = {entry.name: entry for entry in parse_location(data).list(recursive=True)}
    states = []
    for track_id in ids:
        found = entries.get(audio_path(track_id))
        size, etag = (found.size, found.etag) if found else (None, None)
        states.append(AudioState(track_id, audio_path(track_id), size, etag))
    return tuple(states)


def _answers(url: str) -> bool:
    try:
        return bool(urllib.request.urlopen(url, timeout=TRY_S).status == 200)
    except (urllib.error.URLError, OSError):
        return False
