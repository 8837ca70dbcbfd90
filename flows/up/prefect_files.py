"""prefect.yaml and automations.yaml: where they are, and with the user's own parameters."""

from __future__ import annotations

import copy
import importlib
import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from flows.errors import UsageError
from flows.up import schedules

if TYPE_CHECKING:
    from prefect import Flow

PROJECT = "fma-genre"
DEPLOYMENTS, AUTOMATIONS = "prefect.yaml", "automations.yaml"


def find_folder() -> Path:
    """Find the folder with this project's prefect.yaml.

    It is the current one, that of the checkout, or that of the installed package.

    Raises
    ------
    UsageError
        If there is none.
    """
    package = Path(__file__).parents[1]
    for folder in (Path.cwd(), package.parent, package):
        if (folder / DEPLOYMENTS).is_file() and _load(folder / DEPLOYMENTS).get("name") == PROJECT:
            return folder
    raise UsageError(
        f"there is no {DEPLOYMENTS} of {PROJECT} in {Path.cwd()}; "
        "run `genre up` in a checkout, or in a folder with a copy of that file"
    )


def deployments(
    folder: Path,
    parameters: Mapping[str, Any],
    *,
    timezone: str | None = None,
    hour: int | None = None,
) -> dict[str, Any]:
    """Read prefect.yaml and give every deployment those of `parameters` that its flow takes.

    Parameters
    ----------
    folder : Path
        Of `find_folder`.
    parameters : Mapping
        As `data` and `store`.
    timezone, hour : optional
        Of the schedules, as `schedules.move` takes them.
    """
    content = _load(folder / DEPLOYMENTS)
    # One by one, since anchors share: what is changed in one is changed in no other.
    content["deployments"] = [copy.deepcopy(each) for each in content["deployments"]]
    schedules.move(content, timezone=timezone, hour=hour)
    for deployment in content["deployments"]:
        taken = set(inspect.signature(flow_of(deployment["entrypoint"]).fn).parameters)
        own = {name: value for name, value in parameters.items() if name in taken}
        deployment["parameters"] = {**deployment.get("parameters", {}), **own}
    return content


def automations(folder: Path) -> list[dict[str, Any]]:
    """Read automations.yaml, which lies beside prefect.yaml; none if it is not there."""
    path = folder / AUTOMATIONS
    return list(_load(path)["automations"]) if path.is_file() else []


def flow_of(entrypoint: str) -> Flow[..., Any]:
    """Import the flow of a deployment, as `flows.full_run:full_run`."""
    module, _, name = entrypoint.partition(":")
    found: Flow[..., Any] = getattr(importlib.import_module(module), name)
    return found


def _load(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise UsageError(f"{path} is not YAML ({' '.join(str(error).split())})") from error
    return content if isinstance(content, dict) else {}
