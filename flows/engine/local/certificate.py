"""One run's certificate: who holds its key may talk to the run's Dask processes, nobody else.

Every user of a machine reaches what listens on loopback, and Dask runs what it is told. So both
ends of each connection show a certificate that was signed with this run's key. The key lies in no
file and in no process's arguments; the processes are handed it by their environment, which their
owner alone may read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from distributed.security import Security

_TLS = "DASK_DISTRIBUTED__COMM__TLS"


def certificate() -> Security:
    """Make a key, and a certificate that it signs itself, for all roles; both in memory."""
    from distributed.security import Security

    made: Security = Security.temporary()
    return made


def as_environment(security: Security) -> dict[str, str]:
    """Return the Dask settings by which a process is given `security`, the key among them."""
    settings = {"DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION": "True"}
    for role in ("client", "scheduler", "worker"):
        of_role = security.get_tls_config_for_role(role)
        settings[f"{_TLS}__CA_FILE"] = of_role["ca_file"]
        settings[f"{_TLS}__{role.upper()}__CERT"] = of_role["cert"]
        settings[f"{_TLS}__{role.upper()}__KEY"] = of_role["key"]
    return settings
