"""A flow with one shard whose worker only talks: run by test_worker_logs in a process."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from distributed import Client
from prefect import flow

from flows.engine.quoting import quoted
from tasks.build_shard import build_shard
from tasks.worker.shards import ShardOutcome


@dataclass
class Job:
    topic: str


def talk(_job: Job) -> ShardOutcome:
    logging.getLogger("tasks.worker.decoder").warning("the decoder is replaced")
    logging.getLogger("some_library").info("chatter")
    return ShardOutcome(
        shard=7,
        statuses={"ok": 1},
        windows=10,
        remarks=("track 1 is short: 1 s decode",),
        seconds=0.1,
    )


@flow(name="talkative")
def talkative() -> None:
    with Client(processes=False, n_workers=1, threads_per_worker=1, dashboard_address=None):
        keep: list[ShardOutcome] = []
        build_shard.submit(7, quoted(Job("a-topic")), keep=keep.append, compute=talk).result()


if __name__ == "__main__":
    talkative()
