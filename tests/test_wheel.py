"""The one distribution holds its four packages, and imports from anywhere."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from limits import COMMAND_S

ROOT = Path(__file__).parents[1]
ROOMS = ("flows", "tasks", "genre_model", "storage")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    code = "import hatchling.build as b, sys; print(b.build_wheel(sys.argv[1]))"
    subprocess.run(
        [sys.executable, "-c", code, str(folder)], cwd=ROOT, check=True, timeout=COMMAND_S
    )
    return next(folder.glob("*.whl"))


def test_it_holds_the_four_packages_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == set(ROOMS)
    for room in ROOMS:
        files = (path for kind in ("py", "json", "j2") for path in (ROOT / room).rglob(f"*.{kind}"))
        assert {str(path.relative_to(ROOT)) for path in files} <= set(names)
    assert "genre_model/data/known_defects/fma_small.json" in names
    assert {"flows/prefect.yaml", "flows/automations.yaml"} <= set(names)


def test_it_imports_from_another_folder_of_an_empty_environment(
    wheel: Path, tmp_path: Path
) -> None:
    environment = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    site = next(environment.glob("lib/python*/site-packages"))
    zipfile.ZipFile(wheel).extractall(site)
    # The environment is empty but for the wheel; what it depends on is lent by path, the checkout
    # is not.
    lent = next(p for p in sys.path if p.endswith("site-packages"))
    code = f"""
import sys
sys.path.append({lent!r})
import flows, tasks, storage, genre_model, flows.command.cli
rooms = (flows, tasks, storage, genre_model)
assert all(room.__file__.startswith({str(site)!r}) for room in rooms), [r.__file__ for r in rooms]
heavy = {{"tensorflow", "librosa", "prefect", "zarr"}} & set(sys.modules)
assert not heavy, heavy
print("imported")
"""
    done = subprocess.run(
        [environment / "bin" / "python", "-I", "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=COMMAND_S,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "imported\n"), done.stderr
