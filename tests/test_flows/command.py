"""The `genre` command in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from limits import COMMAND_S


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one JSON object on stdout."""
        found = json.loads(self.out)
        assert isinstance(found, dict)
        return found


@dataclass(frozen=True)
class Genre:
    """Call it to run the command in `folder`, with a Prefect of its own."""

    folder: Path
    env: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, *arguments: str | Path, limit_s: float = COMMAND_S, **env: str) -> Ended:
        done = subprocess.run(
            [sys.executable, "-m", "flows.command.cli", *map(str, arguments)],
            cwd=self.folder,
            env={**os.environ, "PREFECT_HOME": str(self.folder / "prefect"), **self.env, **env},
            capture_output=True,
            text=True,
            timeout=limit_s,
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr)
