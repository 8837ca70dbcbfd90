"""The deployments that a server has: whose they are, what they work on, what they refuse."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from flows.errors import UsageError
from flows.up import alerts, ownership, prefect_files
from flows.up.ownership import Facts, Owner

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient
    from prefect.client.schemas.responses import DeploymentResponse


def check(
    client: SyncPrefectClient,
    content: Mapping[str, Any],
    *,
    owner: Owner,
    webhook: str | None,
    replace: bool,
) -> bool:
    """Refuse to change what is somebody else's; return whether the deployments become `owner`'s.

    Parameters
    ----------
    client : SyncPrefectClient
    content : Mapping
        Of the prefect.yaml that is to be applied.
    owner : Owner
        The `genre up` that applies it.
    webhook : str, optional
        Address that its automations are to call.
    replace : bool
        Whether to change it all the same.

    Raises
    ------
    UsageError
        With whose they are, and what would change.
    """
    from prefect.utilities.templating import apply_values

    found = read_owner(client)
    there = {
        name: Facts.there(deployment.model_dump(mode="json"))
        for name, deployment in _there(client, content)
    }
    if replace or not there or (found is not None and found.id == owner.id):
        return True
    # as `prefect deploy` does with the variables of the environment
    planned = [
        Facts.planned({**each, **apply_values({"parameters": each["parameters"]}, {})})
        for each in content["deployments"]
    ]
    changed = ownership.changes(planned, there)
    if webhook is not None and alerts.is_another(client, webhook):
        changed.append("the address that automations call")
    if changed:
        raise UsageError(ownership.refusal(str(client.api_url).rstrip("/"), found, changed))
    return found is None


def refuse_unknown_parameters(client: SyncPrefectClient, content: Mapping[str, Any]) -> None:
    """Have the server refuse a run with a parameter that its flow does not take.

    Prefect's schema of a flow's parameters allows any further ones, with which the run's process
    would end before the run begins.
    """
    from prefect.client.schemas.actions import DeploymentUpdate

    for _, deployment in _there(client, content):
        schema = {**(deployment.parameter_openapi_schema or {}), "additionalProperties": False}
        client.update_deployment(deployment.id, DeploymentUpdate(parameter_openapi_schema=schema))


def read_owner(client: SyncPrefectClient) -> Owner | None:
    """Return whose the deployments are, None if nobody said so."""
    variable = client.read_variable_by_name(ownership.VARIABLE)
    return Owner.read(variable.value) if variable else None


def write_owner(client: SyncPrefectClient, owner: Owner) -> None:
    """Say on the server whose the deployments are."""
    from prefect.client.schemas.actions import VariableCreate, VariableUpdate

    name, value = ownership.VARIABLE, owner.to_dict()
    if client.read_variable_by_name(name) is None:
        client.create_variable(VariableCreate(name=name, value=value))
    else:
        client.update_variable(VariableUpdate(name=name, value=value))


def _there(
    client: SyncPrefectClient, content: Mapping[str, Any]
) -> Iterator[tuple[str, DeploymentResponse]]:
    """Read those of the deployments that the server has already, each with its name."""
    from prefect.exceptions import ObjectNotFound

    for each in content["deployments"]:
        flow = prefect_files.flow_of(each["entrypoint"])
        try:
            yield each["name"], client.read_deployment_by_name(f"{flow.name}/{each['name']}")
        except ObjectNotFound:
            continue
