"""The `genre` command in processes of its own: one for each, or one for many."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
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


_ONE_AFTER_THE_OTHER = """
import json, os, sys, tempfile
from flows.command import console
from flows.command.cli import genre

def captured(arguments):
    sys.stdout.flush(), sys.stderr.flush()
    ours = os.dup(1), os.dup(2)
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        os.dup2(out.fileno(), 1), os.dup2(err.fileno(), 2)
        command = lambda: genre.main(arguments, prog_name="genre", standalone_mode=False)
        code = console.run(command)
        sys.stdout.flush(), sys.stderr.flush()
        os.dup2(ours[0], 1), os.dup2(ours[1], 2)
        os.close(ours[0]), os.close(ours[1])
        out.seek(0), err.seek(0)
        return code, out.read(), err.read()

for line in sys.stdin:
    print(json.dumps(captured(json.loads(line))), flush=True)
"""


@dataclass(frozen=True)
class Commands:
    """Call it to run a command in the one process of all of them."""

    folder: Path
    process: subprocess.Popen[str]

    def __call__(self, *arguments: str | Path) -> Ended:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(json.dumps([*map(str, arguments)]), file=self.process.stdin, flush=True)
        return Ended(*json.loads(self.process.stdout.readline()))


@contextmanager
def one_after_the_other(folder: Path, **env: str) -> Iterator[Commands]:
    """Run commands in one process: what they import, and Prefect's server, is started once."""
    with subprocess.Popen(
        [sys.executable, "-c", _ONE_AFTER_THE_OTHER],
        cwd=folder,
        env={**os.environ, "PREFECT_HOME": str(folder / "prefect"), **env},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Commands(folder, process)
