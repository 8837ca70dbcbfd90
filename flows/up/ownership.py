"""Whose the deployments on a server are, and what another `genre up` would change of them.

A server may be shared. The `genre up` that deploys writes a variable of the server, so that one of
another home can tell its user whose deployments they are before it gives them other data.
"""

from __future__ import annotations

import getpass
import socket
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from flows.up import private, schedules

VARIABLE = "fma_genre_up"
"""Prefect's variable that says whose the deployments are."""

_ID = "id"  # a file of `genre up`'s folder


@dataclass(frozen=True, kw_only=True)
class Owner:
    """One `genre up`, as others may know it.

    Attributes
    ----------
    id : str
        Of its home; it stays the same when it is stopped and started again.
    by : str
        User and host.
    home : str
        Its PREFECT_HOME.
    since : str
        When it deployed last, UTC.
    """

    id: str
    by: str
    home: str
    since: str

    @classmethod
    def of(cls, folder: Path) -> Self:
        """Describe the `genre up` whose folder this is, as it deploys now."""
        return cls(
            id=own_id(folder),
            by=f"{_user()}@{socket.gethostname()}",
            home=str(folder.parent),
            since=datetime.now(UTC).strftime("%Y-%m-%d %H:%M"),
        )

    @classmethod
    def read(cls, stored: object) -> Self | None:
        """Read what `to_dict` gave; None if it is something else."""
        known = [each.name for each in fields(cls)]
        if not isinstance(stored, Mapping) or not set(known) <= set(stored):
            return None
        return cls(**{name: str(stored[name]) for name in known})

    def to_dict(self) -> dict[str, str]:
        """Return plain values, ready for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        return f"{self.by} (PREFECT_HOME {self.home}, deployed {self.since} UTC)"


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What of a deployment must not change unasked.

    Attributes
    ----------
    name : str
    values : Mapping
        What -> its value: `entrypoint`, `work pool`, each parameter, each schedule.
    """

    name: str
    values: Mapping[str, object]

    @classmethod
    def planned(cls, deployment: Mapping[str, Any]) -> Self:
        """Read a deployment of prefect.yaml."""
        return cls._of(deployment, pool=deployment["work_pool"]["name"], its=schedules.of)

    @classmethod
    def there(cls, deployment: Mapping[str, Any]) -> Self:
        """Read a deployment as the server's API gives it."""
        return cls._of(deployment, pool=deployment["work_pool_name"], its=schedules_there)

    @classmethod
    def _of(cls, deployment: Mapping[str, Any], *, pool: object, its: Any) -> Self:
        timed = {f"schedule {slug}": str(each) for slug, each in its(deployment).items()}
        return cls(
            name=deployment["name"],
            values={
                **(deployment.get("parameters") or {}),
                "entrypoint": deployment["entrypoint"],
                "work pool": pool,
                **timed,
            },
        )


def changes(planned: Iterable[Facts], there: Mapping[str, Facts]) -> list[str]:
    """Say what of the deployments that are there would change, each change once.

    Parameters
    ----------
    planned : iterable of Facts
    there : Mapping
        By name; one that is not there yet is no change.
    """
    found: dict[tuple[str, str, str], list[str]] = {}
    for new in planned:
        if (old := there.get(new.name)) is None:
            continue
        for what in dict.fromkeys((*old.values, *new.values)):
            before, after = old.values.get(what), new.values.get(what)
            if before != after:
                found.setdefault((what, _shown(before), _shown(after)), []).append(new.name)
    return [
        f"{what} from {before} to {after} ({', '.join(names)})"
        for (what, before, after), names in found.items()
    ]


def refusal(api: str, owner: Owner | None, changed: Iterable[str]) -> str:
    """Say whose the deployments are, what would change, and what to do."""
    whose = f"are those of `genre up` by {owner}" if owner else "were not made by this `genre up`"
    return (
        f"the deployments on {api} {whose}; it would change {' and '.join(changed)}; nothing was "
        "changed: give the same options, say --replace to have them changed, or only start a "
        "worker with `prefect worker start`"
    )


def schedules_there(deployment: Mapping[str, Any]) -> dict[str, schedules.Schedule]:
    """Read a deployment's cron schedules as the server's API gives them: slug -> schedule."""
    return {
        each["slug"]: schedules.Schedule(
            cron=each["schedule"]["cron"], timezone=each["schedule"].get("timezone") or "UTC"
        )
        for each in deployment.get("schedules") or ()
        if each.get("slug") and "cron" in each["schedule"]
    }


def _shown(value: object) -> str:
    return "nothing" if value is None else str(value)


def own_id(folder: Path) -> str:
    """Return the id of the `genre up` whose folder this is; it is drawn once."""
    file = folder / _ID
    if not file.is_file():
        private.write(file, uuid.uuid4().hex)
    return file.read_text(encoding="utf-8").strip()


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "somebody"  # a container's user need not have a name
