"""Whose deployments are: what would change is said, and a running one is not taken for another."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from flows.errors import UsageError
from flows.results import UpResult
from flows.up import asked_again, local_server, ownership
from flows.up.ownership import Facts, Owner

API = "http://127.0.0.1:4300/api"
RESULT = UpResult(
    dashboard="http://127.0.0.1:4300",
    api=API,
    server="started",
    data="/data/fma",
    store="/music/store",
    scheduler=None,
    storage_block=None,
    pools=("cpu", "gpu"),
    deployments=("build-features", "full-run"),
    automations=(),
    alerts=None,
    processes={"server": 7, "worker cpu": 8},
    state="/prefect/genre-up",
    seconds=1.5,
    detached=False,
    cron="0 3 * * *",
    timezone="Europe/Zurich",
)
NIGHTLY = {"slug": "nightly", "schedule": {"cron": "0 3 * * *", "timezone": "Europe/Zurich"}}


def planned(**changes: Any) -> dict[str, Any]:
    return {
        "name": "full-run",
        "entrypoint": "flows.full_run:full_run",
        "work_pool": {"name": "cpu"},
        "parameters": {"data": "/data/fma", "store": "/music/store"},
        "schedules": [{"slug": "nightly", **NIGHTLY["schedule"]}],  # type: ignore[dict-item]
        **changes,
    }


def there(**changes: Any) -> dict[str, Any]:
    return {
        "name": "full-run",
        "entrypoint": "flows.full_run:full_run",
        "work_pool_name": "cpu",
        "parameters": {"data": "/data/fma", "store": "/music/store"},
        "schedules": [NIGHTLY],
        **changes,
    }


def changes(new: dict[str, Any], old: dict[str, Any]) -> list[str]:
    return ownership.changes([Facts.planned(new)], {"full-run": Facts.there(old)})


def test_what_stays_as_it_is_is_no_change_and_a_pause_neither() -> None:
    assert changes(planned(), there()) == []
    assert changes(planned(), there(schedules=[{**NIGHTLY, "active": False}])) == []
    assert ownership.changes([Facts.planned(planned())], {}) == []


@pytest.mark.parametrize(
    ("new", "said"),
    [
        (
            {"parameters": {"data": "demo", "store": "/music/store"}},
            "data from /data/fma to demo (full-run)",
        ),
        (
            {"parameters": {"data": "/data/fma", "store": "/music/store", "workers": 3}},
            "workers from nothing to 3 (full-run)",
        ),
        ({"parameters": {"data": "/data/fma"}}, "store from /music/store to nothing (full-run)"),
        (
            {"schedules": [{"slug": "nightly", "cron": "0 4 * * *", "timezone": "UTC"}]},
            "schedule nightly from 0 3 * * * Europe/Zurich to 0 4 * * * UTC (full-run)",
        ),
        ({"work_pool": {"name": "gpu"}}, "work pool from cpu to gpu (full-run)"),
        (
            {"entrypoint": "theirs:full"},
            "entrypoint from flows.full_run:full_run to theirs:full (full-run)",
        ),
    ],
)
def test_every_change_is_said(new: dict[str, Any], said: str) -> None:
    assert changes(planned(**new), there()) == [said]


def test_the_same_change_of_several_deployments_is_said_once() -> None:
    new = [Facts.planned(planned(name=name, parameters={"data": "demo"})) for name in "ab"]
    old = {name: Facts.there(there(name=name, parameters={"data": "/data"})) for name in "ab"}
    assert ownership.changes(new, old) == ["data from /data to demo (a, b)"]


def test_an_owner_is_known_again_and_others_are_not_taken_for_it(tmp_path: Path) -> None:
    mine, others = tmp_path / "mine" / "genre-up", tmp_path / "others" / "genre-up"
    for folder in (mine, others):
        folder.mkdir(parents=True)
    owner = Owner.of(mine)
    assert Owner.of(mine).id == owner.id != Owner.of(others).id
    assert Owner.read(owner.to_dict()) == owner
    assert Owner.read({"id": "7"}) is None
    assert Owner.read("anna") is None
    sentence = ownership.refusal(API, owner, ["data from a to b (full-run)"])
    assert f"PREFECT_HOME {tmp_path / 'mine'}" in sentence
    assert "would change data from a to b (full-run); nothing was changed" in sentence
    assert "--replace" in sentence


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"data": "demo"}, "running with --data /data/fma, not with --data demo"),
        (
            {"store": "/other", "port": 4301},
            "running with --store /music/store and --port 4300, "
            "not with --store /other and --port 4301",
        ),
        ({"hour": 4}, "running with --hour 3, not with --hour 4"),
        ({"timezone": "UTC"}, "running with --timezone Europe/Zurich, not with --timezone UTC"),
        ({"pools": {"gpu"}}, "running with --pool cpu, not with --pool gpu"),
        ({"scheduler": "tcp://a:1"}, "running with --scheduler none, not with --scheduler tcp"),
        ({"api": "http://a/api"}, f"PREFECT_API_URL {API}, not with PREFECT_API_URL http://a/api"),
    ],
)
def test_a_running_one_is_not_found_for_another(wanted: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match="stop it with `genre down` first") as refused:
        asked_again.refuse_another(wanted, RESULT)
    assert said in str(refused.value)


def test_a_running_one_is_found_by_what_it_is() -> None:
    asked_again.refuse_another({}, RESULT)
    same = {"data": "/data/fma", "port": 4300, "host": "127.0.0.1", "hour": 3, "pools": {"cpu"}}
    asked_again.refuse_another(same, RESULT)


def test_what_somebody_else_has_changed_is_told_as_it_is_now(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    other = Owner(id="7", by="bob@studio", home="/home/bob/.prefect", since="2026-11-27 00:10")
    server: dict[str, Any] = {
        "deployments/filter": [there(), there(name="build-features", schedules=[])],
        "variables/filter": [{"value": other.to_dict()}],
    }
    monkeypatch.setattr(local_server, "ask", lambda _api, path, _body: server[path])
    result = replace(RESULT, state=str(tmp_path))
    assert asked_again.as_it_is(result) == result
    changed = {"data": "demo", "store": "/music/store"}
    server["deployments/filter"] = [there(parameters=changed)]
    now = asked_again.as_it_is(result)
    assert (now.data, now.deployments) == ("demo", ("full-run",))
    assert now.remarks == (
        "the deployment build-features is no longer on the server",
        "data of full-run is demo, no longer /data/fma",
        f"the deployments are now those of `genre up` by {other}",
        "`genre down`, then `genre up --replace` makes them as they were",
    )
