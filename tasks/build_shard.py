"""One task run a shard: it waits in a driver thread while a Dask worker computes."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from distributed import get_client
from distributed.comm.core import CommClosedError
from distributed.scheduler import KilledWorker
from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.tasks import exponential_backoff

from genre_model.printable import printable
from storage.errors import StorageError
from tasks.worker import log, pickled_call
from tasks.worker.errors import WorkerError
from tasks.worker.shards import ShardJob, ShardOutcome, write_shard

RETRIES = 3
_PASSING = (OSError, CommClosedError, KilledWorker, TimeoutError)


def may_pass(error: BaseException) -> bool:
    """Return whether `error` is a fault of a machine or network, which a later try may not meet.

    What only the user can remedy (a full disk, a refused permission) and what is a bug is not.
    """
    if isinstance(error, StorageError | WorkerError) and error.remedied_by_user:
        return False
    return isinstance(error, _PASSING)


def is_worth_a_retry(_task: Any, _run: Any, state: Any) -> bool:
    """Return whether the error of a failed task run may pass, as Prefect asks it."""
    error = state.data if isinstance(state.data, BaseException) else _error_of(state)
    return error is not None and may_pass(error)


def _error_of(state: Any) -> BaseException | None:
    found = state.result(raise_on_failure=False)
    return found if isinstance(found, BaseException) else None


@task(
    name="shard",
    task_run_name="shard {shard}",
    retries=RETRIES,
    retry_delay_seconds=exponential_backoff(backoff_factor=2),
    retry_jitter_factor=0.5,
    retry_condition_fn=is_worth_a_retry,
    cache_policy=NO_CACHE,
)
def build_shard(
    shard: int,
    job: ShardJob,
    *,
    keep: Callable[[ShardOutcome], None],
    compute: Callable[[ShardJob], ShardOutcome] = write_shard,
    on_workers: pickled_call.OnWorkers = pickled_call.on_any_worker,
) -> None:
    """Have a Dask worker write one shard, and log what it says of its tracks.

    Parameters
    ----------
    shard : int
        Its number, for the run's name.
    job : ShardJob
        What the worker needs.
    keep : callable
        Takes the outcome. It is not returned, since Prefect links every result that a flow has
        got to its state, for as long as the flow runs.
    compute : callable
        What the worker does; another one only to measure what is around it.
    on_workers : callable
        Makes the call on a worker that may be given work.
    """
    key = f"write-shard-{shard}-{uuid.uuid4().hex[:8]}"
    client, logger = get_client(), get_run_logger()
    topic = f"{job.topic}-log-{shard}" if job.topic else ""
    with log.received(client, topic, logger):
        call = pickled_call.pickled(log.logged, compute, job, topic)
        outcome: ShardOutcome = on_workers(call, key)
    for remark in outcome.remarks:
        logger.warning("%s", printable(remark))
    logger.info(
        "%d windows of %d tracks in %.1f s%s",
        outcome.windows,
        sum(outcome.statuses.values()),
        outcome.seconds,
        f" on {outcome.worker}" if outcome.worker else "",
    )
    keep(outcome)
