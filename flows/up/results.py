"""What `genre up` and `genre down` answer: the JSON contract."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self


@dataclass(frozen=True, kw_only=True)
class UpResult:
    """What one `genre up` has started, or found.

    Attributes
    ----------
    dashboard, api : str
        Addresses of the server's pages and of its API.
    server : str
        `started`, or `found` where one answered already.
    data, store : str
        What the deployments work on by default.
    scheduler, storage_block : str, optional
        Further ones of their parameters.
    pools, deployments, automations : tuple[str, ...]
        Names of what the server was told.
    alerts : str, optional
        Whom automations tell; nobody but the event feed if None.
    processes : Mapping
        Role to pid: `server`, `worker <pool>`.
    state : str
        The folder of logs and state.
    seconds : float
        How long it took to start.
    already_running : bool
        Whether an earlier `genre up` has started it.
    detached : bool
        Whether it goes on when the command has ended.
    """

    dashboard: str
    api: str
    server: str
    data: str
    store: str
    scheduler: str | None
    storage_block: str | None
    pools: tuple[str, ...]
    deployments: tuple[str, ...]
    automations: tuple[str, ...]
    alerts: str | None
    processes: Mapping[str, int]
    state: str
    seconds: float
    already_running: bool = False
    detached: bool

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Self:
        """Read what `to_dict` gave, also from JSON."""
        lists = {name: tuple(value) for name, value in stored.items() if isinstance(value, list)}
        return cls(**{**stored, **lists})

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class DownResult:
    """What one `genre down` has stopped.

    Attributes
    ----------
    stopped : tuple[str, ...]
        Roles, as in `UpResult.processes`.
    state : str
        The folder of logs and state.
    """

    stopped: tuple[str, ...]
    state: str

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        return asdict(self)
