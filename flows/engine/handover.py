"""Training handed over to a deployment, so that another pool's worker does it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, cast

from prefect import get_run_logger
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import FlowRun, State
from prefect.deployments import run_deployment
from prefect.exceptions import ObjectNotFound
from prefect.states import Cancelling

from flows.errors import ChildFailed, UsageError

_POLL_S = 2.0
_SAID_AGAIN_S = 60.0


def check_deployment(deployment: str) -> None:
    """Refuse a deployment that `run_elsewhere` would not find, before what it is to go on with.

    Raises
    ------
    UsageError
    """
    with get_client(sync_client=True) as client:
        try:
            client.read_deployment_by_name(deployment)
        except ObjectNotFound as error:
            raise _no_deployment(deployment) from error


def _no_deployment(deployment: str) -> UsageError:
    return UsageError(
        f"there is no deployment {deployment!r} to train on (train_on); "
        "run `prefect deploy --all`, or leave train_on out to train in this process"
    )


def run_elsewhere(deployment: str, parameters: Mapping[str, Any]) -> FlowRun:
    """Run a deployment as a child of this flow run, and wait until it has completed.

    Every change of its state is logged, and once a minute how long it has been so. When this flow
    run is cancelled or ends otherwise meanwhile, the child is cancelled.

    Parameters
    ----------
    deployment : str
        As `train-model/train-model`.
    parameters : Mapping
        Of the child's flow; the deployment's own hold for the others.

    Returns
    -------
    FlowRun
        The completed child.

    Raises
    ------
    UsageError
        If there is no such deployment.
    ChildFailed
        If it did not complete, with its reason.
    """
    try:
        child = cast(FlowRun, run_deployment(deployment, parameters=dict(parameters), timeout=0))
    except ObjectNotFound as error:
        raise _no_deployment(deployment) from error
    with get_client(sync_client=True) as client:
        try:
            state = _final_state(client, child, deployment)
        except BaseException:
            _cancel(client, child, deployment)
            raise
        if not state.is_completed():
            raise ChildFailed(
                f"{deployment} run {child.name!r} ended {state.name}: "
                f"{state.message or 'without a reason'}"
            )
        return client.read_flow_run(child.id)


def _cancel(client: SyncPrefectClient, child: FlowRun, deployment: str) -> None:
    """Cancel the child unless it has ended; a server that cannot be asked is logged, not raised."""
    try:
        state = client.read_flow_run(child.id).state
        if state is not None and state.is_final():
            return
        message = "The run that waited for it has ended."
        client.set_flow_run_state(child.id, Cancelling(message=message), force=True)
    except Exception as error:  # noqa: BLE001 - what ended the wait is what must be told
        get_run_logger().warning(
            "%s run %r could not be cancelled (%s: %s); cancel it in the dashboard",
            deployment,
            child.name,
            type(error).__name__,
            error,
        )


def _final_state(client: SyncPrefectClient, child: FlowRun, deployment: str) -> State[Any]:
    logger = get_run_logger()
    seen, since, said = "", time.monotonic(), 0.0
    while True:
        state = client.read_flow_run(child.id).state
        now = time.monotonic()
        if state is not None and state.name != seen:
            seen, since, said = str(state.name), now, now
            logger.info("%s run %r is %s", deployment, child.name, seen)
        elif now - said > _SAID_AGAIN_S:
            said = now
            logger.info(
                "%s run %r has been %s for %.0f min%s",
                deployment,
                child.name,
                seen,
                (now - since) / 60,
                "; does a worker of its pool run?" if seen in ("Scheduled", "Late") else "",
            )
        if state is not None and state.is_final():
            return state
        time.sleep(_POLL_S)
