"""What a Dask worker must fulfil before it is given work, each asked of it out of turn.

A worker of unknown make is asked only by functions that are named, never by code that is sent:
what it lacks is then an ImportError that it answers with, whatever its Python is.
"""

from __future__ import annotations

import functools
import os
import pkgutil
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasks.worker import handing_over
from tasks.worker.installed import DISTRIBUTION, ROOMS, installed

if TYPE_CHECKING:
    from distributed import Client


@dataclass(frozen=True)
class Worker:
    """A Dask worker that can be asked something, also while it computes.

    Attributes
    ----------
    client : distributed.Client
    address : str
    """

    client: Client
    address: str

    async def ask(self, question: Callable[..., Any], *arguments: object) -> Any:
        """Call an importable function there; raise what it raises, or an OSError if it is gone."""
        answers = await self.client.run(
            question, *arguments, workers=[self.address], on_error="return"
        )
        answer = answers[self.address]
        if isinstance(answer, Exception):
            raise answer
        return answer


Requirement = Callable[[Worker], Awaitable[str]]
"""Returns what a worker lacks, as a sentence without its subject; "" if nothing."""


def same_installation() -> Requirement:
    """Require this package, and the same versions of all that a row's digits depend on."""
    ours = installed()

    async def requirement(worker: Worker) -> str:
        # a function that cannot be unpickled there answers in words only; this one can be
        await worker.ask(pkgutil.resolve_name, f"{installed.__module__}:{installed.__name__}")
        return _differences(ours, await worker.ask(installed))

    return requirement


def sees(file: Path, *, below: str) -> Requirement:
    """Require that a file which lies here is seen there too.

    Otherwise every track would be `missing` there, or shards written where nobody looks.

    Parameters
    ----------
    file : Path
        Of this machine.
    below : str
        The folder that it stands for, as the message is to name it.
    """

    async def requirement(worker: Worker) -> str:
        if await worker.ask(os.path.isfile, str(file)):
            return ""
        return (
            f"does not see {below}; workers on other machines need the same folder under the same "
            "name, or an s3:// address"
        )

    return requirement


def holds_credentials(names: Iterable[str]) -> Requirement:
    """Hand credentials over, sealed for each worker; see `tasks.worker.handing_over`."""
    wanted = tuple(names)

    async def requirement(worker: Worker) -> str:
        key = await worker.ask(handing_over.public_key)
        await worker.ask(handing_over.take, handing_over.sealed(wanted, key))
        return ""

    return requirement


def lacks(error: Exception) -> str:
    """Say what a worker lacks that answers a question with an error."""
    if not isinstance(error, ImportError | AttributeError):
        return f"cannot be asked what it has ({type(error).__name__}: {error})"
    module = getattr(error, "name", None) or ""
    room, _, rest = module.partition(".")
    if isinstance(error, AttributeError) or (room in ROOMS and rest):
        return f"has another version of {DISTRIBUTION} ({error}); {_remedy()}"
    what = DISTRIBUTION if room in ROOMS else module or "what its work needs"
    return f"lacks {what} ({error}); {_remedy()}"


@functools.cache
def _remedy() -> str:
    version = installed().get(DISTRIBUTION)
    which = f"version {version}" if version else "the version of this command"
    return f"install {which} there with all that it needs, and start it again"


def _differences(ours: Mapping[str, str], theirs: Mapping[str, str]) -> str:
    # a checkout on PYTHONPATH has no version, and need not have one where its code is the same
    compared = [name for name in ours if name in theirs or name != DISTRIBUTION]
    others = [
        f"{name} {theirs.get(name, '(none)')} where this command has {ours[name]}"
        for name in compared
        if theirs.get(name) != ours[name]
    ]
    return f"has {', '.join(others)}; install the same there, and start it again" if others else ""
