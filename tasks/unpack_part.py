"""One task run a part of an archive: it waits in a driver thread while a Dask worker unpacks."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.tasks import exponential_backoff

from tasks.build_shard import RETRIES, is_worth_a_retry
from tasks.worker import pickled_call
from tasks.worker.unpacking import PartJob, PartOutcome, unpack


@task(
    name="unpack",
    task_run_name="unpack {name} {part}",
    retries=RETRIES,
    retry_delay_seconds=exponential_backoff(backoff_factor=2),
    retry_jitter_factor=0.5,
    retry_condition_fn=is_worth_a_retry,
    cache_policy=NO_CACHE,
)
def unpack_part(
    name: str,
    part: int,
    job: PartJob,
    *,
    keep: Callable[[PartOutcome], None],
    on_workers: pickled_call.OnWorkers = pickled_call.on_any_worker,
) -> None:
    """Have a Dask worker unpack one part of an archive.

    Parameters
    ----------
    name, part : str, int
        Of the archive and the part, for the run's name.
    job : PartJob
        What the worker needs.
    keep, on_workers : callable
        As for `tasks.build_shard`.
    """
    key = f"unpack-{name}-{part}-{uuid.uuid4().hex[:8]}"
    outcome: PartOutcome = on_workers(pickled_call.pickled(unpack, job), key)
    get_run_logger().info(
        "%d files written, %d there already, in %.1f s",
        outcome.written,
        outcome.reused,
        outcome.seconds,
    )
    keep(outcome)
