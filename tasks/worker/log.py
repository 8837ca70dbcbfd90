"""What a Dask worker's code logs, sent to the run that waits for it.

Imports no Prefect: one half is for workers.
"""

from __future__ import annotations

import contextvars
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar

from genre_model.printable import printable_lines
from tasks.worker.topics import heard

if TYPE_CHECKING:
    from distributed import Client

Job = TypeVar("Job")
Result = TypeVar("Result")

ROOMS = ("genre_model", "storage", "tasks")
"""Whose records are sent from INFO on; those of libraries from WARNING on."""


class SentRecord(TypedDict):
    """One log record on its way to the run: its `level`, its `logger`'s name, and its `message`."""

    level: int
    logger: str
    message: str


def logged(compute: Callable[[Job], Result], job: Job, topic: str) -> Result:
    """Call `compute(job)` on a worker, and send what is logged meanwhile as events of `topic`.

    Parameters
    ----------
    compute : callable
    job : object
    topic : str
        Dask topic; empty to send nothing.
    """
    if not topic:
        return compute(job)
    from distributed import get_worker

    worker = get_worker()
    with sent(lambda record: worker.log_event(topic, record)):
        return compute(job)


@contextmanager
def sent(send: Callable[[SentRecord], None]) -> Iterator[None]:
    """Send log records and Python's warnings to `send`, each as a `SentRecord`."""
    handler = _Sender(send)
    levels = {name: logging.getLogger(name).level for name in ROOMS}
    for name in ROOMS:
        logging.getLogger(name).setLevel(logging.INFO)
    logging.captureWarnings(True)
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)
        logging.captureWarnings(False)
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)


@contextmanager
def received(
    client: Client, topic: str, logger: logging.Logger | logging.LoggerAdapter[Any]
) -> Iterator[None]:
    """Log in the caller's run what workers send meanwhile.

    Parameters
    ----------
    client : distributed.Client
    topic : str
        Dask topic; empty to listen to nothing.
    logger : logging.Logger or logging.LoggerAdapter
        The run's.
    """
    if not topic:
        yield
        return
    # Events arrive in the client's own thread, which knows no run and none of its settings.
    here = contextvars.copy_context()

    def log(event: tuple[float, SentRecord]) -> None:
        _, record = event
        message = printable_lines(record["message"])
        here.run(logger.log, record["level"], "%s: %s", record["logger"], message)

    with heard(client, topic, log):
        yield


class _Sender(logging.Handler):
    def __init__(self, send: Callable[[SentRecord], None]) -> None:
        super().__init__(logging.INFO)
        self._send = send

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep what this project's code says, and what libraries warn of.

        What Prefect says is said by the run: a worker in its process would send it round and round.
        """
        package = record.name.partition(".")[0]
        return package in ROOMS or (record.levelno >= logging.WARNING and package != "prefect")

    def emit(self, record: logging.LogRecord) -> None:
        """Send one record; what cannot be sent is not worth a track."""
        try:
            self._send(
                {
                    "level": record.levelno,
                    "logger": record.name,
                    "message": self.format(record).strip(),
                }
            )
        except Exception:  # noqa: BLE001 - the contract of logging.Handler
            self.handleError(record)
