"""What a worker's code logs arrives where its result is waited for, before the result."""

from __future__ import annotations

import logging
import warnings
from typing import Any

import pytest
from distributed import Client

from tasks.worker.log import logged, received, sent


def talk(job: str) -> str:
    logging.getLogger("tasks.worker.shards").info("found %s", job)
    logging.getLogger("tasks.worker.shards").debug("not worth telling")
    logging.getLogger("some_library").info("chatter")
    logging.getLogger("some_library").warning("retrying")
    warnings.warn("a value overflowed", RuntimeWarning, stacklevel=1)
    return job.upper()


def test_our_records_and_the_warnings_of_others_are_sent() -> None:
    records: list[dict[str, Any]] = []
    with sent(records.append):
        talk("track 7")
    assert [(each["level"], each["logger"]) for each in records] == [
        (logging.INFO, "tasks.worker.shards"),
        (logging.WARNING, "some_library"),
        (logging.WARNING, "py.warnings"),
    ]
    assert records[0]["message"] == "found track 7"
    assert "a value overflowed" in records[2]["message"]


def test_nothing_is_changed_afterwards() -> None:
    before = list(logging.getLogger().handlers), logging.getLogger("tasks").level
    with pytest.raises(KeyError), sent(lambda _record: None):
        raise KeyError
    assert (list(logging.getLogger().handlers), logging.getLogger("tasks").level) == before
    assert logging._warnings_showwarning is None


def test_a_record_that_cannot_be_sent_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging, "raiseExceptions", False)

    def broken(_record: dict[str, Any]) -> None:
        raise OSError("the scheduler has gone")

    with sent(broken):
        assert talk("track 7") == "TRACK 7"


def test_records_arrive_from_a_worker_before_its_result(caplog: pytest.LogCaptureFixture) -> None:
    with Client(
        processes=False, n_workers=1, threads_per_worker=1, dashboard_address=None
    ) as client:
        caplog.set_level(logging.INFO, "prefect.of_a_run")
        with received(client, "topic-1", logging.getLogger("prefect.of_a_run")):
            assert client.submit(logged, talk, "track 7", "topic-1").result() == "TRACK 7"
    mine = [each.getMessage() for each in caplog.records if each.name == "prefect.of_a_run"]
    assert mine[0] == "tasks.worker.shards: found track 7"
    assert mine[1] == "some_library: retrying"
    assert len(mine) == 3


def test_without_a_topic_nothing_is_sent() -> None:
    assert logged(talk, "track 7", "") == "TRACK 7"
