"""prefect.yaml and automations.yaml, strictly: Prefect ignores most unknown keys in silence.

`problems` knows every level of the files from Prefect's own models, so that a key which a later
version drops is found as well as one that was misspelt.
"""

from __future__ import annotations

import copy
import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import prefect
import pytest
import yaml
from prefect import Flow
from prefect.cli.deploy._models import (
    ConcurrencyLimitSpec,
    DeploymentConfig,
    PrefectYamlModel,
    RawScheduleConfig,
    WorkPoolConfig,
)
from prefect.client.schemas.objects import ConcurrencyLimitConfig
from prefect.client.schemas.schedules import CronSchedule
from prefect.events.actions import ChangeFlowRunState, DoNothing
from prefect.events.schemas.automations import AutomationCore, EventTrigger
from prefect.events.schemas.deployment_triggers import DeploymentEventTrigger
from prefect.utilities.callables import parameter_schema
from prefect.workers.process import ProcessVariables
from pydantic import BaseModel, ValidationError

from flows.dashboard import events
from flows.errors import UsageError
from flows.up import prefect_files, schedules
from flows.up.schedules import Schedule

ROOT = Path(__file__).parents[3]
CONTENT: dict[str, Any] = yaml.safe_load((ROOT / "prefect.yaml").read_text())
DEPLOYMENTS: dict[str, dict[str, Any]] = {each["name"]: each for each in CONTENT["deployments"]}
AUTOMATIONS: list[dict[str, Any]] = yaml.safe_load((ROOT / "automations.yaml").read_text())[
    "automations"
]
STAGES = {
    "fetch-dataset",
    "build-features",
    "train-model",
    "evaluate-model",
    "predict-tracks",
    "sweep",
    "full-run",
}
WANTED = {
    "name",
    "version",
    "description",
    "tags",
    "entrypoint",
    "enforce_parameter_schema",
    "concurrency_limit",
    "work_pool",
}
ACTIONS: dict[str, type[BaseModel]] = {
    "do-nothing": DoNothing,
    "change-flow-run-state": ChangeFlowRunState,
}
PLACEHOLDER = "definitions"  # where the file keeps its anchors; Prefect's documentation does so too


def flow_of(deployment: Mapping[str, Any]) -> Flow[Any, Any]:
    module, _, name = deployment["entrypoint"].partition(":")
    found = getattr(import_module(module), name)
    assert isinstance(found, Flow)
    return found


def problems(content: Mapping[str, Any]) -> list[str]:
    """List what Prefect would ignore, or refuse only when it is too late."""
    found = unknown("top", content, PrefectYamlModel, also=("prefect-version", PLACEHOLDER))
    for deployment in content["deployments"]:
        found += of_deployment(deployment)
    return found


def of_deployment(deployment: Mapping[str, Any]) -> list[str]:
    name, flow = deployment.get("name", "?"), flow_of(deployment)
    taken = set(inspect.signature(flow.fn).parameters)
    pool = deployment.get("work_pool", {})
    limit = deployment.get("concurrency_limit", {})
    found = unknown(name, deployment, DeploymentConfig)
    found += [f"{name}: no {key}" for key in WANTED - set(deployment)]
    found += unknown(f"{name}.work_pool", pool, WorkPoolConfig)
    found += unknown(f"{name}.job_variables", pool.get("job_variables", {}), ProcessVariables)
    found += unknown(f"{name}.concurrency_limit", limit, ConcurrencyLimitSpec)
    found += refused(f"{name}.concurrency_limit", limit, ConcurrencyLimitConfig)
    found += strangers(f"{name}.parameters", deployment.get("parameters", {}), taken)
    for schedule in deployment.get("schedules", []):
        found += unknown(f"{name}.schedules", schedule, RawScheduleConfig)
        timed = {key: schedule[key] for key in ("cron", "timezone") if key in schedule}
        found += refused(f"{name}.schedules", timed, CronSchedule)
        found += strangers(f"{name}.schedules.parameters", schedule.get("parameters", {}), taken)
    for trigger in deployment.get("triggers", []):
        found += unknown(f"{name}.triggers", trigger, DeploymentEventTrigger)
        found += refused(f"{name}.triggers", trigger, DeploymentEventTrigger)
        found += strangers(f"{name}.triggers.parameters", trigger["parameters"], taken)
    return found


def of_automation(automation: Mapping[str, Any]) -> list[str]:
    name = automation["name"]
    found = unknown(name, automation, AutomationCore)
    found += refused(name, automation, AutomationCore)
    found += unknown(f"{name}.trigger", automation["trigger"], EventTrigger)
    for action in automation["actions"]:
        found += unknown(f"{name}.actions", action, ACTIONS[action["type"]])
    return found


def unknown(
    where: str, given: Mapping[str, Any], model: type[BaseModel], *, also: Iterable[str] = ()
) -> list[str]:
    return strangers(where, given, {*model.model_fields, *also})


def strangers(where: str, given: Mapping[str, Any], known: set[str]) -> list[str]:
    return [f"{where}: unknown {key!r}" for key in given if key not in known]


def refused(where: str, given: Mapping[str, Any], model: type[BaseModel]) -> list[str]:
    try:
        model.model_validate(dict(given))
    except ValidationError as error:
        return [f"{where}: {each['loc']} {each['msg']}" for each in error.errors()]
    return []


def test_nothing_in_prefect_yaml_is_unknown_or_refused() -> None:
    assert problems(CONTENT) == []


def test_nothing_in_automations_yaml_is_unknown_or_refused() -> None:
    assert [problem for each in AUTOMATIONS for problem in of_automation(each)] == []


TRAIN = "train-model"
MISTAKES: dict[str, Callable[[dict[str, Any], dict[str, dict[str, Any]]], object]] = {
    "top": lambda content, _: content.update(prefects_version="3"),
    "deployment": lambda _, named: named[TRAIN].update(enforce_parameters_schema=True),
    "missing": lambda _, named: named[TRAIN].pop("tags"),
    "pool": lambda _, named: named[TRAIN]["work_pool"].update(queue="a"),
    "job variable": lambda _, named: named[TRAIN]["work_pool"]["job_variables"].update(envs={}),
    "limit": lambda _, named: named[TRAIN]["concurrency_limit"].update(limits=2),
    "strategy": lambda _, named: named[TRAIN]["concurrency_limit"].update(
        collision_strategy="WAIT"
    ),
    "schedule": lambda _, named: named["full-run"]["schedules"][0].update(zone="UTC"),
    "cron": lambda _, named: named["full-run"]["schedules"][0].update(cron="at three"),
    "timezone": lambda _, named: named["full-run"]["schedules"][0].update(timezone="Zurich"),
    "trigger": lambda _, named: named[TRAIN]["triggers"][0].update(expects=[]),
    "trigger's parameter": lambda _, named: named[TRAIN]["triggers"][0]["parameters"].update(a=1),
    "parameter": lambda _, named: named[TRAIN]["parameters"].update(stores="x"),
}


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_at_any_level_is_found(
    mistake: Callable[[dict[str, Any], dict[str, dict[str, Any]]], object],
) -> None:
    # Dumped and loaded without anchors, so that one deployment is changed and not all.
    content = yaml.safe_load(yaml.dump(copy.deepcopy(CONTENT), Dumper=_Plain))
    mistake(content, {each["name"]: each for each in content["deployments"]})
    assert len(problems(content)) == 1


class _Plain(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True


def test_every_stage_has_a_deployment_named_as_its_flow() -> None:
    assert set(DEPLOYMENTS) >= STAGES
    assert all(flow_of(each).name == each["name"] for each in DEPLOYMENTS.values())


@pytest.mark.parametrize("deployment", DEPLOYMENTS.values(), ids=DEPLOYMENTS.keys())
def test_a_deployment_says_all_that_an_operator_wants_to_know(deployment: dict[str, Any]) -> None:
    pyproject = (ROOT / "pyproject.toml").read_text()
    assert f'version = "{deployment["version"]}"' in pyproject
    assert deployment["description"].endswith(".")
    assert {prefect_files.PROJECT, "genre"} <= set(deployment["tags"])
    assert deployment["enforce_parameter_schema"] is True
    assert deployment["concurrency_limit"] == {"limit": 1, "collision_strategy": "ENQUEUE"}
    assert deployment["work_pool"]["name"] == ("gpu" if deployment["name"] == TRAIN else "cpu")
    assert deployment["work_pool"]["job_variables"]["env"]["PYTHONSAFEPATH"] == "1"


def test_the_file_is_for_the_prefect_that_is_installed_and_pulls_no_code() -> None:
    assert CONTENT["prefect-version"] == prefect.__version__
    assert CONTENT["pull"] == []


def test_full_run_is_nightly() -> None:
    (schedule,) = DEPLOYMENTS["full-run"]["schedules"]
    assert schedule == {"cron": "0 3 * * *", "timezone": "Europe/Zurich", "slug": "nightly"}


def test_training_starts_on_features_that_nobody_goes_on_with() -> None:
    (trigger,) = DEPLOYMENTS[TRAIN]["triggers"]
    assert trigger["expect"] == [events.READY_EVENT]
    assert trigger["match"][events.PART_OF_A_RUN] == "false"
    assert trigger["match_related"] == AUTOMATIONS[0]["trigger"]["match_related"][0]
    assert trigger["parameters"]["store"] == "{{ event.payload.store }}"


def test_automations_are_about_our_deployments_and_events() -> None:
    failed, late, quarantined, silent, never_began = AUTOMATIONS
    for each in AUTOMATIONS:
        tag, named = each["trigger"]["match_related"]
        assert tag == {
            "prefect.resource.role": "tag",
            "prefect.resource.id": f"prefect.tag.{prefect_files.PROJECT}",
        }
        assert set(named["prefect.resource.name"]) == set(DEPLOYMENTS)
        is_of_stages = each in (quarantined, silent)
        assert named["prefect.resource.role"] == ("flow" if is_of_stages else "deployment")
    assert late["trigger"]["within"] == 3600
    assert never_began["trigger"]["within"] == 600
    assert failed["trigger"]["posture"] == "Reactive"
    assert quarantined["trigger"]["expect"] == [events.QUARANTINED_EVENT]
    beat = DEPLOYMENTS[TRAIN]["work_pool"]["job_variables"]["env"][
        "PREFECT_FLOWS_HEARTBEAT_FREQUENCY"
    ]
    assert silent["trigger"]["within"] >= 3 * int(beat)


@pytest.mark.parametrize("deployment", DEPLOYMENTS.values(), ids=DEPLOYMENTS.keys())
def test_the_form_has_a_sentence_and_a_type_for_every_parameter(deployment: dict[str, Any]) -> None:
    for name, field in parameter_schema(flow_of(deployment)).model_dump()["properties"].items():
        assert field.get("description", "").endswith("."), name
        assert "type" in field or "anyOf" in field or "enum" in field, name
        numbers = [each for each in (field, *field.get("anyOf", ())) if _is_number(each)]
        assert all({"minimum", "maximum"} <= set(each) for each in numbers), name


def _is_number(schema: Mapping[str, Any]) -> bool:
    return schema.get("type") in ("integer", "number")


def test_the_users_data_and_store_go_to_every_flow_that_takes_them() -> None:
    own = {"data": "/data/fma", "store": "s3://bucket/genre"}
    content = prefect_files.deployments(ROOT, own)
    given = {each["name"]: each["parameters"] for each in content["deployments"]}
    assert given["full-run"] == {**own, "train_on": "train-model/train-model"}
    assert given["build-features"] == own
    assert given[TRAIN] == {"store": "s3://bucket/genre"}
    assert problems(content) == []


def test_the_zone_moves_all_schedules_and_the_hour_the_nightly_one() -> None:
    content = prefect_files.deployments(ROOT, {}, timezone="Asia/Tokyo", hour=22)
    timed = {
        each["slug"]: (each["cron"], each["timezone"])
        for deployment in content["deployments"]
        for each in deployment.get("schedules", [])
    }
    assert timed == {
        "nightly": ("0 22 * * *", "Asia/Tokyo"),
        "weekly-metadata": ("0 2 * * 1", "Asia/Tokyo"),
    }
    assert problems(content) == []
    as_before = prefect_files.deployments(ROOT, {})
    assert schedules.nightly(as_before) == Schedule(cron="0 3 * * *", timezone="Europe/Zurich")


@pytest.mark.parametrize("cron", ["@daily", "0 3 * *"])
def test_an_hour_that_a_schedule_of_ones_own_cannot_have_is_refused(cron: str) -> None:
    own = {"deployments": [{"schedules": [{"slug": "nightly", "cron": cron}]}]}
    with pytest.raises(
        UsageError, match=re.escape(f"schedule nightly of prefect.yaml is {cron!r}")
    ):
        schedules.move(own, timezone=None, hour=4)
    with pytest.raises(UsageError, match="has no schedule nightly"):
        schedules.move({"deployments": [{}]}, timezone=None, hour=4)


@pytest.mark.parametrize(
    ("zone", "like"),
    [
        ("Zurich", "Europe/Zurich"),
        ("europe/zurich", "Europe/Zurich"),
        ("America/New York", "America/New_York"),
        ("../../etc/passwd", "one as"),
        ("", "UTC"),
        ("Mars/Base", "one as"),
    ],
)
def test_what_is_no_time_zone_is_named_with_what_is_like_it(zone: str, like: str) -> None:
    with pytest.raises(UsageError, match="which is no time zone; name") as refused:
        schedules.check_timezone(zone)
    assert repr(zone) in str(refused.value)
    assert like in str(refused.value)


@pytest.mark.parametrize("hour", ["24", "-1", "3.5", "three", "", "²", "99999999"])
def test_what_is_no_hour_is_refused(hour: str) -> None:
    with pytest.raises(UsageError, match="which is no hour") as refused:
        schedules.read_hour(hour)
    assert repr(hour) in str(refused.value)


def test_an_hour_is_read() -> None:
    assert [schedules.read_hour(each) for each in ("0", "03", "23")] == [0, 3, 23]


@pytest.mark.parametrize("zone", ["UTC", "Europe/Zurich", "America/Argentina/Ushuaia"])
def test_a_time_zone_is_taken(zone: str) -> None:
    schedules.check_timezone(zone)


def test_the_file_is_found_from_any_folder_and_another_projects_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "prefect.yaml").write_text("name: another\n")
    assert prefect_files.find_folder() == ROOT
    (tmp_path / "prefect.yaml").write_text("name: fma-genre\ndeployments: []\n")
    assert prefect_files.find_folder() == tmp_path
    assert prefect_files.automations(tmp_path) == []


def test_where_there_is_none_the_sentence_names_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    installed = tmp_path / "flows" / "up" / "prefect_files.py"
    monkeypatch.setattr(prefect_files, "__file__", str(installed))
    with pytest.raises(UsageError, match=f"no prefect.yaml of fma-genre in {tmp_path}"):
        prefect_files.find_folder()
    (tmp_path / "prefect.yaml").write_text("name: [\n")
    with pytest.raises(UsageError, match="is not YAML"):
        prefect_files.find_folder()
