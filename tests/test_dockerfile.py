"""The Dockerfile without a build: what it copies is there, is let in, and makes the package."""

from __future__ import annotations

import fnmatch
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]


def copied() -> list[str]:
    """Return the sources of the Dockerfile's COPY lines."""
    text = (ROOT / "Dockerfile").read_text()
    return [
        source for line in re.findall(r"^COPY (.+)$", text, re.M) for source in line.split()[:-1]
    ]


def test_what_it_copies_is_let_into_the_build() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert lines[0] == "*"
    let_in = [line[1:] for line in lines if line.startswith("!")]
    assert sorted(let_in) == sorted(copied())
    assert all((ROOT / name).exists() for name in copied())


def test_what_it_copies_makes_the_whole_package(tmp_path: Path) -> None:
    for name in copied():
        source, target = ROOT / name, tmp_path / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    code = "import hatchling.build as b; print(b.build_wheel('.'))"
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {"flows/command/cli.py", "flows/prefect.yaml", "flows/automations.yaml"} <= set(names)
    assert fnmatch.filter(names, "genre_model/judging/templates/*.j2")


def test_its_python_is_the_one_that_the_lock_is_tested_on() -> None:
    text = (ROOT / "Dockerfile").read_text()
    assert re.search(r"^FROM python:3\.11-", text, re.M)
    assert "--python-version 3.11" in (ROOT / "Makefile").read_text()
