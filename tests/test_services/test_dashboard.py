"""A scheduled run, as people see it: both dashboards in a browser."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from dashboard_pages import CHROMIUM, Dashboard, dashboards
from fault_processes import wait_until
from prefect_server import Server, finished_run, prefect_server, worker

pytestmark = [
    pytest.mark.services,
    pytest.mark.skipif(
        CHROMIUM is None, reason="no chromium on the path: apt-get install chromium"
    ),
]
UIS = ("v1", "v2")
# What each artifact's page must show, and how many plots.
ARTIFACTS = {
    "catalogue": (("Catalogue demo-", "Hip-Hop", "validation", "44,100 Hz"), 1),
    "features-progress": (("102 of 102 tracks decoded",), 0),
    "throughput": (("tracks a second meanwhile", "Dask workers"), 0),
    "quarantine": (("undecodable", "is not there", "1.60 s decode, a window takes 2.95 s"), 0),
    "training-progress": ((" epochs",), 0),
    "training-curves": (("parameters; validation track accuracy", "Model:"), 1),
    "evaluation-report": (
        (
            "Track accuracy",
            "with the champion, default-",
            "McNemar",
            "Most confused",
            "report.html",
        ),
        5,
    ),
    "metrics": (("macro f1", "dummy accuracy"), 0),
}


@dataclass(frozen=True)
class Watched:
    """What the server knows after two scheduled runs.

    Attributes
    ----------
    server : Server
    run : dict
        The second full run.
    stages : dict
        Flow -> its runs, the newest first.
    artifacts : dict
        Key -> its versions, the newest first.
    """

    server: Server
    run: dict[str, Any]
    stages: dict[str, list[dict[str, Any]]]
    artifacts: dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Start a server that looks for new schedules every five seconds rather than every minute."""
    home = tmp_path_factory.mktemp("server")
    with prefect_server(home, PREFECT_SERVER_SERVICES_SCHEDULER_LOOP_SECONDS="5") as running:
        yield running


@pytest.fixture(scope="module")
def watched(deployed: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """Have schedules start two runs on the built-in data: three epochs, then all of them."""
    folder = tmp_path_factory.mktemp("watched")
    demo = os.environ.get("GENRE_DEMO") or str(folder / "demo")
    with ExitStack() as stack:
        for pool in ("cpu", "gpu"):
            stack.enter_context(worker(deployed, pool, folder=folder, GENRE_DEMO=demo))
        store = {"data": "demo", "store": str(folder / "store")}
        scheduled_run(deployed, {**store, "seed": 1, "epochs": 3})
        run = scheduled_run(deployed, {**store, "workers": 1})
        # The workers live on: a run that has ended still has last words to say through them.
        yield known(deployed, run)


def known(server: Server, run: dict[str, Any]) -> Watched:
    """Ask the server for all runs and artifacts."""
    flows = {each["id"]: each["name"] for each in server.post("flows/filter", {})}
    stages: dict[str, list[dict[str, Any]]] = {}
    for each in server.post("flow_runs/filter", {"sort": "EXPECTED_START_TIME_DESC"}):
        stages.setdefault(flows[each["flow_id"]], []).append(each)
    artifacts: dict[str, list[dict[str, Any]]] = {}
    for each in server.post("artifacts/filter", {"sort": "CREATED_DESC"}):
        artifacts.setdefault(each["key"], []).append(each)
    return Watched(server, run, stages, artifacts)


def scheduled_run(server: Server, parameters: dict[str, Any]) -> dict[str, Any]:
    """Give `full-run` a schedule that is due in seconds, and return the run that it starts."""
    (deployment,) = [
        each for each in server.post("deployments/filter", {}) if each["name"] == "full-run"
    ]
    due = datetime.now(UTC) + timedelta(seconds=15)
    schedule = {"interval": timedelta(days=1).total_seconds(), "anchor_date": due.isoformat()}
    (made,) = server.post(
        f"deployments/{deployment['id']}/schedules",
        [{"schedule": schedule, "active": True, "parameters": parameters}],
    )

    def started() -> list[dict[str, Any]]:
        asked = {"deployments": {"id": {"any_": [deployment["id"]]}}}
        return [
            each
            for each in server.post("flow_runs/filter", asked)
            if (each["created_by"] or {}).get("id") == made["id"]
            and each["state_type"] not in ("SCHEDULED", "PENDING")
        ]

    wait_until(started, every_s=1, what="the schedule started a run")
    run: dict[str, Any] = finished_run(server, started()[0]["id"])
    assert run["state_type"] == "COMPLETED", run["state"]["message"]
    return run


@pytest.fixture(scope="module")
def browser(
    watched: Watched, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Dashboard]]:
    """Open both dashboards; GENRE_SCREENSHOTS names a folder that keeps the pictures."""
    folder = Path(os.environ.get("GENRE_SCREENSHOTS") or tmp_path_factory.mktemp("screenshots"))
    folder.mkdir(parents=True, exist_ok=True)
    with dashboards(watched.server.api.removesuffix("/api"), folder) as found:
        yield found


def test_the_schedule_started_the_run(watched: Watched) -> None:
    assert watched.run["auto_scheduled"] is True
    assert watched.run["name"] == "full run of demo: default features, default network"


def test_every_run_has_a_name_that_tells_it_apart(watched: Watched) -> None:
    names = {flow: [each["name"] for each in runs] for flow, runs in watched.stages.items()}
    assert names["build-features"][0] == "features of demo, default"
    assert names["train-model"][0] == "train default on default features, seed 0"
    model, _, split = watched.artifacts["metrics"][0]["description"].partition(" on the ")
    assert split == "test split"
    assert names["evaluate-model"][0] == f"evaluate {model} on test"
    tasks = {each["name"] for each in watched.server.post("task_runs/filter", {})}
    assert tasks >= {"shard 0", "shard 1", "gather the manifests", "train default, seed 0"}


def test_what_workers_say_of_tracks_is_in_the_logs_of_the_run(watched: Watched) -> None:
    first = watched.stages["build-features"][-1]["id"]
    logs = watched.server.post(
        "logs/filter", {"logs": {"flow_run_id": {"any_": [first]}}, "limit": 200}
    )
    said = {each["message"]: each["task_run_id"] for each in logs}
    undecodable = "fma_small/001/001017.mp3 is undecodable: Format not recognised; WAV, "
    assert any(task for message, task in said.items() if message.startswith(undecodable))
    assert any(message.startswith("fma_small/002/002641.mp3 is silent: ") for message in said)


def test_the_history_of_each_artifact_is_kept(watched: Watched) -> None:
    versions = {key: len(found) for key, found in watched.artifacts.items()}
    assert set(ARTIFACTS) <= set(versions)
    assert versions["evaluation-report"] == versions["training-curves"] == versions["metrics"] == 2


@pytest.mark.parametrize("ui", UIS)
def test_the_run_page_shows_its_stages(
    browser: dict[str, Dashboard], watched: Watched, ui: str
) -> None:
    dashboard = browser[ui]
    dashboard.open(
        f"/runs/flow-run/{watched.run['id']}",
        watched.run["name"],
        "Completed",
        "Finished in state Completed()",
        picture="run",
    )
    dashboard.choose_tab("Subflow Runs")
    for stage in ("build-features", "train-model", "evaluate-model"):
        name = watched.stages[stage][0]["name"]
        dashboard.page.get_by_text(name).first.wait_for()
    dashboard.save("run-stages")


@pytest.mark.parametrize("ui", UIS)
def test_the_feature_run_page_shows_its_shards_and_their_logs(
    browser: dict[str, Dashboard], watched: Watched, ui: str
) -> None:
    browser[ui].open(
        f"/runs/flow-run/{watched.stages['build-features'][-1]['id']}",
        "001017.mp3 is undecodable: Format not recognised",
        "windows of 64 tracks",
        picture="features-run",
    )


@pytest.mark.parametrize("ui", UIS)
@pytest.mark.parametrize("key", ARTIFACTS)
def test_an_artifact_shows_its_plots_and_tables(
    browser: dict[str, Dashboard], watched: Watched, ui: str, key: str
) -> None:
    dashboard, (texts, plots) = browser[ui], ARTIFACTS[key]
    newest = watched.artifacts[key][0]
    dashboard.open(f"/artifacts/artifact/{newest['id']}", *texts, picture=key)
    pictures = dashboard.pictures()
    assert len(pictures) == plots
    for each in pictures:
        assert each["drawn"] > 600, each
        assert 550 < each["shown"] <= each["drawn"], each
    assert dashboard.cut_tables() == []


@pytest.mark.parametrize("ui", UIS)
def test_the_page_of_a_key_lists_every_version(
    browser: dict[str, Dashboard], watched: Watched, ui: str
) -> None:
    versions = watched.artifacts["evaluation-report"]
    browser[ui].open(
        "/artifacts/key/evaluation-report",
        *(each["id"].partition("-")[0] for each in versions),
        picture="evaluation-report-history",
    )
