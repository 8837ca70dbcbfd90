"""prefect.yaml, strictly: Prefect ignores unknown deployment keys in silence."""

from __future__ import annotations

import inspect
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml
from prefect import Flow

FILE = Path(__file__).parents[2] / "prefect.yaml"
CONTENT: dict[str, Any] = yaml.safe_load(FILE.read_text())
DEPLOYMENTS: list[dict[str, Any]] = CONTENT["deployments"]
KNOWN = {
    "name",
    "version",
    "tags",
    "description",
    "entrypoint",
    "parameters",
    "enforce_parameter_schema",
    "concurrency_limit",
    "schedules",
    "triggers",
    "work_pool",
}
STAGES = {"build-features", "train-model", "evaluate-model", "full-run"}


def flow_of(deployment: dict[str, Any]) -> Flow[Any, Any]:
    module, _, name = deployment["entrypoint"].partition(":")
    found = getattr(import_module(module), name)
    assert isinstance(found, Flow)
    return found


def test_every_stage_has_a_deployment_under_its_own_name() -> None:
    assert {each["name"] for each in DEPLOYMENTS} >= STAGES
    assert all(flow_of(each).name == each["name"] for each in DEPLOYMENTS)


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=lambda each: each["name"])
def test_a_deployment_has_known_keys_and_parameters_of_its_flow(deployment: dict[str, Any]) -> None:
    assert set(deployment) <= KNOWN
    assert deployment["description"]
    assert deployment["enforce_parameter_schema"] is True
    assert deployment["work_pool"]["name"] in {"cpu", "gpu"}
    accepted = inspect.signature(flow_of(deployment).fn).parameters
    assert set(deployment["parameters"]) <= set(accepted)
