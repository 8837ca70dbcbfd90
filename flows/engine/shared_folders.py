"""Folders that Dask workers of other machines must see too, asked before work is sent there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from flows.errors import UsageError

if TYPE_CHECKING:
    from distributed import Client


def check_seen(client: Client, file: Path, *, below: str) -> None:
    """Refuse a cluster with a worker that does not see a file which lies here.

    Parameters
    ----------
    client : distributed.Client
    file : Path
        Of this machine.
    below : str
        The folder that it stands for, as the message is to name it.

    Raises
    ------
    UsageError
        Otherwise every track would be `missing` there, or shards written where nobody looks.
    """
    for address, is_seen in client.run(os.path.isfile, str(file)).items():
        if not is_seen:
            raise UsageError(
                f"the Dask worker at {address} does not see {below}; workers on other machines "
                "need the same folder under the same name, or an s3:// address"
            )
