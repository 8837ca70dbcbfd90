"""A server that other teams use, too: theirs is left alone, and ours is not changed in silence."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from deployment_runs import until
from limits import COMMAND_S, TRY_S
from prefect_server import ROOT, Server, prefect_server

from flows.dashboard.events import QUARANTINED_EVENT

pytestmark = pytest.mark.services

SHORT_S = 15
SOON = {
    "PREFECT_SERVER_SERVICES_LATE_RUNS_AFTER_SECONDS": "2",
    "PREFECT_SERVER_SERVICES_LATE_RUNS_LOOP_SECONDS": "1",
}
OURS, THEIRS = "anna", "bob"
NEEDED = {
    "fetch-dataset": {"dataset": "fma_small", "to": "/data"},
    "predict-tracks": {"folder": "/new"},
}
GIVEN = {"data": "/data/fma", "store": "/music/store"}


@dataclass(frozen=True)
class Shared:
    """A server, and the folder of files that `genre up` applies, their clocks made short."""

    server: Server
    folder: Path

    def register(self, owner: str = OURS, **wanted: Any) -> dict[str, Any]:
        """Do what `genre up` of somebody's home does when the server answers; return the answer."""
        (self.folder / owner / "genre-up").mkdir(parents=True, exist_ok=True)
        asked = {
            "folder": str(self.folder),
            "applied": str(self.folder / owner / "genre-up" / "prefect.yaml"),
            "parameters": GIVEN,
            "replace": False,
            **wanted,
        }
        answer = self.folder / "answer.json"
        done = subprocess.run(
            [sys.executable, "-m", "flows.up.registration", str(answer)],
            input=json.dumps(asked),
            env=self.server.env,
            capture_output=True,
            text=True,
            timeout=COMMAND_S,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        found = json.loads(answer.read_text())
        assert isinstance(found, dict)
        return found

    def content(self) -> dict[str, Any]:
        """Read what the server holds of ours, without when it was written."""
        asked = ("deployments", "automations", "work_pools", "variables")
        held = {name: self.server.post(f"{name}/filter", {}) for name in asked}
        return {
            name: [{key: each[key] for key in each if key not in CHANGING} for each in found]
            for name, found in held.items()
        }


CHANGING = ("status", "last_polled", "created", "updated")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    folder = tmp_path_factory.mktemp("shared")
    (folder / "prefect.yaml").write_text((ROOT / "prefect.yaml").read_text())
    quick = re.sub(
        r"within: [1-9]\d*", f"within: {SHORT_S}", (ROOT / "automations.yaml").read_text()
    )
    assert quick.count(f"within: {SHORT_S}") == 3
    (folder / "automations.yaml").write_text(quick)
    with prefect_server(folder / "home", **SOON) as server:
        there = Shared(server, folder)
        assert "refused" not in there.register()
        yield there


@dataclass(frozen=True)
class Team:
    """Somebody who has a deployment on the server."""

    server: Server
    deployment: dict[str, Any]
    flow: str

    @classmethod
    def ours(cls, server: Server) -> Team:
        found = server.post("deployments/filter", {})
        (deployment,) = [
            each for each in found if each["name"] == "train-model" and each["entrypoint"]
        ]
        return cls(server, deployment, "train-model")

    @classmethod
    def another(cls, server: Server) -> Team:
        """One whose deployment has the name of ours, in our pool, with a tag that ours has, too."""
        flow = server.post("flows/", {"name": f"theirs-{uuid.uuid4().hex[:6]}"})
        asked = {"name": "train-model", "flow_id": flow["id"], "tags": ["genre"]}
        made = server.post("deployments/", {**asked, "work_pool_name": "gpu"})
        return cls(server, made, flow["name"])

    def run(self, *states: str) -> str:
        """Make a run, and put it into these states one after the other."""
        made = self.server.post(f"deployments/{self.deployment['id']}/create_flow_run", {})
        for kind in states:
            state = {"state": {"type": kind}, "force": True}
            told = self.server.post(f"flow_runs/{made['id']}/set_state", state)
            assert told["status"] == "ACCEPT", told
        return str(made["id"])

    def tell(self, event: str, run: str, resource: str | None = None) -> None:
        """Emit an event as Prefect does in a run of this team's deployment."""
        related = [
            {
                "prefect.resource.id": f"prefect.flow.{self.deployment['flow_id']}",
                "prefect.resource.role": "flow",
                "prefect.resource.name": self.flow,
            },
            {
                "prefect.resource.id": f"prefect.deployment.{self.deployment['id']}",
                "prefect.resource.role": "deployment",
            },
            *(
                {"prefect.resource.id": f"prefect.tag.{tag}", "prefect.resource.role": "tag"}
                for tag in self.deployment["tags"]
            ),
        ]
        told = {
            "id": str(uuid.uuid4()),
            "occurred": datetime.now(UTC).isoformat(),
            "event": event,
            "resource": {"prefect.resource.id": resource or f"prefect.flow-run.{run}"},
            "related": related,
            "payload": {"message": run},
        }
        _post(self.server, "events", [told])

    def state(self, run: str) -> str:
        return str(self.server.get(f"flow_runs/{run}")["state_name"])


def test_every_automation_is_about_our_runs_and_no_run_of_another_team(shared: Shared) -> None:
    server = shared.server
    ours, theirs = Team.ours(server), Team.another(server)
    runs: dict[str, tuple[str, str]] = {}
    for name, states in {
        "genre-run-failed": ("RUNNING", "FAILED"),
        "genre-run-late": (),
        "genre-run-without-heartbeat": ("RUNNING",),
        "genre-run-that-never-began": ("PENDING",),
        "genre-too-many-quarantined": ("RUNNING",),
    }.items():
        runs[name] = (ours.run(*states), theirs.run(*states))
    assert set(runs) == {each["name"] for each in _automations(shared)}
    for team, number in ((ours, 0), (theirs, 1)):
        team.tell("prefect.flow-run.heartbeat", runs["genre-run-without-heartbeat"][number])
        quarantined = runs["genre-too-many-quarantined"][number]
        team.tell(QUARANTINED_EVENT, quarantined, resource=f"genre.features.{team.flow}/default")
    for name, (own, _) in runs.items():
        until(lambda name=name, own=own: own in _told(server, name), what=f"{name} is told")
    for name, state in (
        ("genre-run-without-heartbeat", "Crashed"),
        ("genre-run-that-never-began", "Crashed"),
        ("genre-run-late", "Late"),
    ):
        until(lambda name=name, state=state: ours.state(runs[name][0]) == state, what=name)
    # Theirs began no later than ours, whose automations have all fired.
    assert [name for name, (_, other) in runs.items() if other in _told(server, name)] == []
    assert {name: theirs.state(other) for name, (_, other) in runs.items()} == {
        "genre-run-failed": "Failed",
        "genre-run-late": "Late",
        "genre-run-without-heartbeat": "Running",
        "genre-run-that-never-began": "Pending",
        "genre-too-many-quarantined": "Running",
    }


def test_what_is_applied_again_goes_on_waiting(shared: Shared) -> None:
    before = {each["name"]: each["trigger"]["id"] for each in _automations(shared)}
    assert "refused" not in shared.register()
    assert {each["name"]: each["trigger"]["id"] for each in _automations(shared)} == before
    file = shared.folder / "automations.yaml"
    written = file.read_text()
    file.write_text(written.replace("A run of a deployment failed", "A run failed"))
    shared.register()
    file.write_text(written)
    after = {each["name"]: each["trigger"]["id"] for each in _automations(shared)}
    assert {name for name in after if after[name] != before[name]} == {"genre-run-failed"}
    shared.register()


def test_a_parameter_that_no_flow_takes_is_refused_by_its_name(shared: Shared) -> None:
    found = shared.server.post("deployments/filter", {})
    own = [each for each in found if each["entrypoint"]]
    assert len(own) == 7
    for each in own:
        needed = NEEDED.get(each["name"], {})
        asked = {"parameters": {**needed, "banana": 3}}
        with pytest.raises(urllib.error.HTTPError) as refused:
            shared.server.post(f"deployments/{each['id']}/create_flow_run", asked)
        assert refused.value.code == 409
        assert "banana" in refused.value.read().decode()
    (build,) = [each for each in own if each["name"] == "build-features"]
    fits = {"parameters": {"workers": 1}}
    assert shared.server.post(f"deployments/{build['id']}/create_flow_run", fits)["id"]


def test_another_ones_deployments_are_not_changed_unless_it_is_said(shared: Shared) -> None:
    before = shared.content()
    other = {"parameters": {"data": "demo", "store": "/music/store"}, "hour": 5}
    sentence = shared.register(THEIRS, **other)["refused"]
    assert "are those of `genre up` by " in sentence
    assert f"(PREFECT_HOME {shared.folder / OURS}, deployed " in sentence
    assert "data from /data/fma to demo (build-features, full-run)" in sentence
    assert "schedule nightly from 0 3 * * * Europe/Zurich to 0 5 * * * Europe/Zurich" in sentence
    assert "--replace" in sentence
    assert shared.content() == before
    # The same is no change, and does not make them theirs.
    assert "refused" not in shared.register(THEIRS)
    assert _owner(shared) == str(shared.folder / OURS)
    done = shared.register(THEIRS, replace=True, timezone="UTC", **other)
    assert (done["cron"], done["timezone"]) == ("0 5 * * *", "UTC")
    assert _owner(shared) == str(shared.folder / THEIRS)
    (full,) = [
        each for each in shared.server.post("deployments/filter", {}) if each["name"] == "full-run"
    ]
    assert full["parameters"]["data"] == "demo"
    assert full["schedules"][0]["schedule"]["cron"] == "0 5 * * *"
    # The owner's own need no word; the first one is refused now.
    assert "refused" not in shared.register(THEIRS, parameters={**GIVEN, "data": "/other"})
    assert str(shared.folder / THEIRS) in shared.register(OURS)["refused"]


def test_whom_anothers_automations_call_is_not_changed_either(shared: Shared) -> None:
    assert "refused" not in shared.register(replace=True, webhook="http://127.0.0.1:9/anna")
    triggers = {each["name"]: each["trigger"]["id"] for each in _automations(shared)}
    refused = shared.register(THEIRS, webhook="http://127.0.0.1:9/bob")["refused"]
    assert "would change the address that automations call; nothing was changed" in refused
    assert "127.0.0.1:9" not in refused
    assert "refused" not in shared.register(THEIRS, webhook="http://127.0.0.1:9/anna")
    assert {each["name"]: each["trigger"]["id"] for each in _automations(shared)} == triggers


def _owner(shared: Shared) -> Any:
    return shared.server.get("variables/name/fma_genre_up")["value"]["home"]


def _automations(shared: Shared) -> list[dict[str, Any]]:
    found = shared.server.post("automations/filter", {})
    return [each for each in found if each["name"] != "genre-train-when-features-are-ready"]


def _told(server: Server, automation: str) -> str:
    """Return all that the server has told of an automation's firing."""
    since = datetime.now(UTC) - timedelta(hours=1)
    asked: dict[str, Any] = {
        "filter": {
            "occurred": {"since": since.isoformat()},
            "event": {"name": ["prefect.automation.triggered"]},
        }
    }
    found = server.post("events/filter", asked)["events"]
    named = [each for each in found if each["resource"]["prefect.resource.name"] == automation]
    return str(named)


def _post(server: Server, path: str, body: list[dict[str, Any]]) -> None:
    """Post where the server answers nothing."""
    request = urllib.request.Request(
        f"{server.api}/{path}",
        data=json.dumps(body).encode(),
        headers={"content-type": "application/json"},
    )
    urllib.request.urlopen(request, timeout=TRY_S).close()
