"""What a running `genre up` has started, written down below PREFECT_HOME for the next command.

<PREFECT_HOME>/genre-up/  state.json  lock  prefect.yaml (as it was applied)  server.log  …

All of it is its owner's alone.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from flows.results import UpResult
from flows.up import private
from flows.up.services import Service
from storage.places.processes import ProcessIdentity

_FOLDER, _STATE = "genre-up", "state.json"


@dataclass(frozen=True, kw_only=True)
class Running:
    """What one `genre up` has started.

    Attributes
    ----------
    mark : str
        The value of `flows.up.services.MARK` that all of it carries.
    services : tuple[Service, ...]
        In the order in which they were started.
    result : UpResult
        What the command answered.
    supervisor : ProcessIdentity, optional
        The `genre up` that waits for Ctrl-C; none with `--detach`.
    webhook : str, optional
        Digest of the address that automations call.
    """

    mark: str
    services: tuple[Service, ...]
    result: UpResult
    supervisor: ProcessIdentity | None = None
    webhook: str | None = None

    @property
    def is_whole(self) -> bool:
        """Whether all of its services live."""
        return all(not service.process.is_dead for service in self.services)

    def write(self, folder: Path) -> None:
        """Write it down under a temporary name, and rename."""
        content = {
            "mark": self.mark,
            "services": [service.to_dict() for service in self.services],
            "result": self.result.to_dict(),
            "supervisor": vars(self.supervisor) if self.supervisor else None,
            "webhook": self.webhook,
        }
        private.write(folder / _STATE, json.dumps(content, indent=1))


def folder() -> Path:
    """Return the folder of logs and state, below PREFECT_HOME."""
    from prefect.settings import PREFECT_HOME

    return Path(PREFECT_HOME.value()).expanduser().absolute() / _FOLDER


def read(folder: Path) -> Running | None:
    """Read what was written down last, None if nothing is or it is not readable."""
    try:
        content = json.loads((folder / _STATE).read_text(encoding="utf-8"))
        supervisor = content["supervisor"]
        return Running(
            mark=content["mark"],
            services=tuple(map(Service.from_dict, content["services"])),
            result=UpResult.from_dict(content["result"]),
            supervisor=ProcessIdentity(**supervisor) if supervisor else None,
            webhook=content.get("webhook"),
        )
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def forget(folder: Path) -> None:
    """Delete what was written down."""
    (folder / _STATE).unlink(missing_ok=True)


@contextmanager
def one_at_a_time(folder: Path) -> Iterator[None]:
    """Let one command at a time start or stop services; a second one waits."""
    private.make_folder(folder)
    with open(folder / "lock", "wb", opener=private.opener) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
