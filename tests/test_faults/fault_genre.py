"""The `genre` command as a process that a test may kill."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fault_processes import Started, nothing_left, start


@dataclass(frozen=True)
class Said:
    """What a command that ended said: its exit status, stdout and stderr."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one JSON object on stdout."""
        found = json.loads(self.out)
        assert isinstance(found, dict)
        return found

    @property
    def sentences(self) -> list[str]:
        """What it says of errors."""
        return [line for line in self.err.splitlines() if line.startswith("genre: ")]


@dataclass(frozen=True)
class Genre:
    """Starts the command in `folder`, where its Prefect has its home.

    Attributes
    ----------
    folder : Path
    env : Mapping[str, str]
        With `PREFECT_API_URL` the runs are told to that server; without, each run starts a
        temporary one.
    """

    folder: Path
    env: Mapping[str, str | None] = field(default_factory=dict)

    def start(self, *arguments: object) -> Started:
        """Start it."""
        return start(
            [sys.executable, "-m", "flows.command.cli", *map(str, arguments)],
            folder=self.folder,
            **{"PREFECT_HOME": str(self.folder / "prefect"), **self.env},
        )

    def said(self, *arguments: object) -> Said:
        """Run it to its end, whatever that is."""
        with nothing_left(self.start(*arguments)) as run:
            return Said(run.wait(), run.out.read_text(), run.said)

    def __call__(self, *arguments: object, ends: int = 0) -> dict[str, Any]:
        """Run it to its end, check its exit status, and return its JSON object."""
        found = self.said(*arguments, "--json")
        assert found.code == ends, found.err
        return found.json


def sentences(run: Started) -> list[str]:
    """List what the command says of errors."""
    return [line for line in run.said.splitlines() if line.startswith("genre: ")]
