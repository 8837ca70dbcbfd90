"""What the command asks of Prefect and Dask before their import; the environment may differ."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from pathlib import Path

from flows.errors import UsageError
from genre_model.printable import printable_lines

_NOBODY_IS_TOLD = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    # The same for the client, which else shows a notice on a terminal first of all.
    "DO_NOT_TRACK": "1",
}
_DEFAULTS = {
    **_NOBODY_IS_TOLD,
    # A fresh database takes longer than Prefect's own 20 s on a small machine.
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    # stderr belongs to this program's progress and its one sentence an error; the runs' pages keep
    # all logs, and INFO here shows them on the terminal too.
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
    "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL",
    # What fails on a worker is raised in the flow, which says it in one sentence.
    "DASK_LOGGING__DISTRIBUTED": "critical",
}


def track_nobody() -> None:
    """Have Prefect send no statistics, unless the user says so; call it before its import."""
    _set(_NOBODY_IS_TOLD)


def prepare() -> None:
    """Set what is not set yet; call it before the first import of Prefect and Dask.

    Raises
    ------
    UsageError
        If the folder that PREFECT_HOME names cannot be made.
    """
    _set(_DEFAULTS)
    # What a server does not take of a run's log is lost there, and no output of this program.
    logging.raiseExceptions = False
    if home := os.environ.get("PREFECT_HOME"):
        # Prefect makes the folder itself, its owner's alone, but not the one above it.
        try:
            Path(home).expanduser().mkdir(mode=0o700, parents=True, exist_ok=True)
        except (OSError, RuntimeError) as error:
            raise UsageError(
                f"PREFECT_HOME is {home}, where no folder can be made ({error}); name another"
            ) from error
    # TensorFlow calls a missing GPU an error; this program says itself what it trains on.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    logging.setLogRecordFactory(_ShownRecord)


class _ShownRecord(logging.LogRecord):
    """What any library logs in this process: a name in it does nothing to the terminal."""

    def getMessage(self) -> str:  # noqa: N802 - logging's own name
        """Return the message, its control characters escaped."""
        return printable_lines(super().getMessage())


def _set(defaults: Mapping[str, str]) -> None:
    for name, value in defaults.items():
        os.environ.setdefault(name, value)
