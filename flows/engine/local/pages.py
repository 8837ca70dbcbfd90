"""Dask's pages are for a cluster that somebody looks at: those of a run's own one are not served.

Dask offers no way to start a scheduler or a worker without them, and they ask nobody who they are.
"""

from __future__ import annotations

from typing import Any

UNASKED = {
    "DASK_DISTRIBUTED__SCHEDULER__HTTP__ROUTES": "[]",
    "DASK_DISTRIBUTED__WORKER__HTTP__ROUTES": "[]",
}
"""Environment with which there is no page at all, for the moment until `dask_setup`."""


def dask_setup(server: Any) -> None:
    """Close the port of a scheduler's, or a worker's, pages.

    Dask calls it in a process that preloads this module.
    """
    server.http_server.stop()
    server.services.pop("dashboard", None)
