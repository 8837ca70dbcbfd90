"""Which faults are worth a retry, and how often and when it comes."""

from __future__ import annotations

import pytest
from distributed.comm.core import CommClosedError

from storage.errors import Damaged, Full, MisalignedWrite, Refused, Unreachable
from tasks.build_shard import build_shard, may_pass


@pytest.mark.parametrize(
    ("error", "passes"),
    [
        (Unreachable("the disk answered with an input/output error"), True),
        (ConnectionResetError("reset"), True),
        (TimeoutError("no answer"), True),
        (CommClosedError("the worker has gone"), True),
        (Full("no space is left"), False),
        (Refused("no permission"), False),
        (Damaged("not what was written"), False),
        (MisalignedWrite("not one whole shard"), False),
        (ValueError("a bug"), False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_faults_of_machines_and_networks_may_pass(error: Exception, passes: bool) -> None:
    assert may_pass(error) is passes


def test_a_shard_is_tried_four_times_later_each_time_and_not_in_step_with_others() -> None:
    assert build_shard.retries == 3
    assert build_shard.retry_delay_seconds == [2, 4, 8]
    assert build_shard.retry_jitter_factor == 0.5
    assert build_shard.retry_condition_fn is not None
