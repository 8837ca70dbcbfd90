"""What must be the same on all workers is told by name, and a changed line of code is noticed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import numpy as np

import tasks
from tasks.worker.installed import CODE, DISTRIBUTION, ROOMS, code_digest, installed

HOUSE = Path(tasks.__path__[0]).parent
TELL = "from tasks.worker.installed import code_digest; print(code_digest())"


def digest_in(folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", TELL],
        env={**os.environ, "PYTHONPATH": str(folder)},
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_all_that_a_row_depends_on_is_named() -> None:
    told = installed()
    assert told[DISTRIBUTION] == metadata.version(DISTRIBUTION)
    assert told["numpy"] == np.__version__
    assert told["python"] == f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert {"libsndfile", "soundfile", "soxr", "scipy", "numcodecs", CODE} <= told.keys()


def test_a_copy_is_the_same_and_a_changed_line_is_not(tmp_path: Path) -> None:
    for room in ROOMS:
        shutil.copytree(HOUSE / room, tmp_path / room)
    assert digest_in(tmp_path) == code_digest()
    changed = tmp_path / "genre_model" / "signal" / "audio.py"
    changed.write_text(changed.read_text() + "# one more line\n")
    assert digest_in(tmp_path) != code_digest()
