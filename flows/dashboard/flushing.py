"""Wait until a temporary Prefect server has written down what this process told it.

A temporary server ends with the process. Task runs reach its database in batches, about a second
late, so without this the last ones would stand in the dashboard as running for ever.
"""

from __future__ import annotations

import time

LIMIT_S = 10.0


def settle(*, limit_s: float = LIMIT_S) -> None:
    """Wait until no task run of a finished flow run is unfinished, if the server is temporary.

    Parameters
    ----------
    limit_s : float
        Seconds after which to give up; the runs themselves are not affected.
    """
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import (
        FlowRunFilter,
        FlowRunFilterState,
        FlowRunFilterStateType,
        TaskRunFilter,
        TaskRunFilterState,
        TaskRunFilterStateType,
    )
    from prefect.client.schemas.objects import StateType
    from prefect.settings import PREFECT_API_URL

    if PREFECT_API_URL.value():
        return
    deadline = time.monotonic() + limit_s
    finished = FlowRunFilter(
        state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.COMPLETED]))
    )
    under_way = TaskRunFilter(
        state=TaskRunFilterState(
            type=TaskRunFilterStateType(any_=[StateType.PENDING, StateType.RUNNING])
        )
    )
    with get_client(sync_client=True) as client:
        while time.monotonic() < deadline and client.read_task_runs(
            flow_run_filter=finished, task_run_filter=under_way, limit=1
        ):
            time.sleep(0.25)
