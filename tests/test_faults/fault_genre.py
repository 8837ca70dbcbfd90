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

    def __call__(self, *arguments: object, ends: int = 0) -> dict[str, Any]:
        """Run it to its end, check its exit status, and return its JSON object."""
        with nothing_left(self.start(*arguments, "--json")) as run:
            code = run.wait()
            assert code == ends, run.said
            found = json.loads(run.out.read_text())
        assert isinstance(found, dict)
        return found


def sentences(run: Started) -> list[str]:
    """List what the command says of errors."""
    return [line for line in run.said.splitlines() if line.startswith("genre: ")]
