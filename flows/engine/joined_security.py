"""How a Dask scheduler that runs elsewhere is talked to: by TLS as Dask is configured, or in clear.

The certificates are Dask's own settings (`distributed.comm.tls`), in a file of its configuration or
as `DASK_DISTRIBUTED__COMM__TLS__…`; nothing of them is this project's.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flows.errors import UsageError

if TYPE_CHECKING:
    from distributed.security import Security

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
REMEDY = "both need a certificate of one authority (Dask's settings distributed.comm.tls)"


def joined_security(scheduler: str, *, say: Callable[[str], None]) -> Security:
    """Read Dask's settings for a connection, and say if it is to be one in clear to another host.

    Parameters
    ----------
    scheduler : str
        Address of a scheduler.
    say : callable
        Takes the sentence.

    Raises
    ------
    UsageError
        If the settings do not let it be connected to.
    """
    from distributed.security import Security

    try:
        security = Security()
        context = security.get_connection_args("client")["ssl_context"]
    except (OSError, ValueError) as error:
        raise UsageError(
            f"the certificates that Dask's settings distributed.comm.tls name cannot be used: "
            f"{error}"
        ) from error
    scheme, _, rest = scheduler.rpartition("://")
    if scheme == "tls" and context is None:
        raise UsageError(
            f"--scheduler is {scheduler}, but Dask has no certificate; set "
            "DASK_DISTRIBUTED__COMM__TLS__CA_FILE, …__CLIENT__CERT and …__CLIENT__KEY to files, or "
            "the same in Dask's configuration"
        )
    if scheme in ("", "tcp"):
        if security.require_encryption:
            raise UsageError(
                f"--scheduler is {scheduler}, but Dask's setting "
                "distributed.comm.require-encryption allows tls:// only"
            )
        if not is_own(urlsplit(f"//{rest}").hostname or ""):
            say(
                f"the Dask scheduler at {scheduler} is talked to in clear: whoever reaches it, or "
                "its workers, can run code there; keep them on a private network, or use tls://"
            )
    return security


def is_own(host: str) -> bool:
    """Whether something can listen at `host` here."""
    if host in _LOOPBACK:
        return True
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.bind(address)
    except OSError:
        return False
    return True
