"""What the command asks of Prefect and Dask before their import; the environment may differ."""

from __future__ import annotations

import os
from pathlib import Path

_DEFAULTS = {
    # A fresh database takes longer than Prefect's own 20 s on a small machine.
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    # stderr belongs to this program's progress and its one sentence an error; the runs' pages keep
    # all logs, and INFO here shows them on the terminal too.
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
    "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    # The same for the client, which else shows a notice on a terminal first of all.
    "DO_NOT_TRACK": "1",
    # What fails on a worker is raised in the flow, which says it in one sentence.
    "DASK_LOGGING__DISTRIBUTED": "critical",
}


def prepare() -> None:
    """Set what is not set yet; call it before the first import of Prefect and Dask."""
    for name, value in _DEFAULTS.items():
        os.environ.setdefault(name, value)
    if home := os.environ.get("PREFECT_HOME"):
        # Prefect makes the folder itself, but not the one above it.
        Path(home).expanduser().mkdir(parents=True, exist_ok=True)
    # TensorFlow calls a missing GPU an error; this program says itself what it trains on.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
