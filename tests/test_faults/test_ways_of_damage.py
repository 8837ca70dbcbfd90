"""Each way in which a file was damaged once: what the commands say, what mends it, and is it whole.

With GENRE_WAYS the table is written to that file, as Markdown.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from fault_damages import copy_store
from fault_genre import Genre, Said
from fault_results import differences, result
from fault_runs import EPOCHS, NETWORK, PRESET, Runs
from fault_ways import WAYS, Way, newest_model

pytestmark = pytest.mark.faults

HEAD = ("file", "damage", "status", "status --verify", "stage", "mended by", "bytes afterwards")
MOST_SHOWN = 300

Stage = Callable[[Runs, Path, str], list[object]]
_OF_NETWORK = ("--preset", PRESET, "--network", NETWORK, "--epochs", EPOCHS)
STAGES: dict[str, Stage] = {
    "features": lambda runs, store, _: ["features", *runs.given(store, runs.grown)],
    "train": lambda _, store, __: ["train", "--store", store, *_OF_NETWORK],
    "train again": lambda _, store, __: ["train", "--store", store, *_OF_NETWORK, "--refresh"],
    "evaluate": lambda _, store, model: ["evaluate", "--store", store, "--model", model],
    "evaluate again": lambda _, store, model: [
        *("evaluate", "--store", store, "--model", model, "--refresh")
    ],
    "predict": lambda runs, store, _: ["predict", runs.predicted, "--store", store],
}


@dataclass
class Table:
    """The lines that were written so far."""

    lines: list[tuple[str, ...]] = field(default_factory=list)

    @property
    def markdown(self) -> str:
        """The table."""
        rows = [HEAD, ("---",) * len(HEAD), *self.lines]
        return "".join(f"| {' | '.join(map(_cell, row))} |\n" for row in rows)


@pytest.fixture(scope="module")
def table() -> Iterator[Table]:
    """Gather the table, and write it at the end if it is asked for."""
    found = Table()
    yield found
    if target := os.environ.get("GENRE_WAYS"):
        Path(target).write_text(found.markdown, encoding="utf-8")


@pytest.fixture
def damaged(proven: Path, tmp_path: Path) -> Path:
    """Copy the store."""
    return copy_store(proven, tmp_path / "store")


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_way(
    way: Way,
    damaged: Path,
    proven: Path,
    runs: Runs,
    genre: Genre,
    expected: dict[str, Any],
    table: Table,
) -> None:
    store, model = damaged, newest_model(damaged)["id"]
    path = way.place(store)
    way.do(path)
    said = {
        "status": genre.said("status", "--store", store),
        "verify": genre.said("status", "--store", store, "--verify"),
        "stage": genre.said(*STAGES[way.stage](runs, store, model)),
    }
    mended_by, mending = "the stage", genre.said("status", "--store", store, "--verify")
    if f"`genre evaluate --model {model} " in said["stage"].err and way.stage == "train":
        assert not (store / "models" / model / "evaluation" / "test" / "metrics.json").exists()
        mended_by = "the stage and, as it says, genre evaluate"
        genre("evaluate", "--store", store, "--model", model)
        mending = genre.said("status", "--store", store, "--verify")
    if mending.code:
        mended_by, mending = "genre run --verify", genre.said(*runs.command(store, runs.grown))
    anew = ""
    if way.stage == "train again" and not said["stage"].code:
        # on what was left, which are the tracks of another model: it tells of this catalogue now
        assert "take no part; `genre features" in said["stage"].err
        (anew,) = re.findall(r"^model +(\S+)$", said["stage"].out, re.M)
        mended_by, mending = f"{mended_by}, twice", genre.said(*runs.command(store, runs.first))
    after = genre.said("status", "--store", store, "--verify")
    others = _others(store, proven)
    table.lines.append(
        (
            path.relative_to(store).as_posix(),
            way.damage,
            *(_short(each, store) for each in list(said.values())[:2]),
            f"{way.stage}: {_short(said['stage'], store)}",
            mended_by if after.code == 0 else f"NOT MENDED by {mended_by}: {_short(after, store)}",
            "all equal" if not others else f"equal but for {', '.join(others)}",
        )
    )
    assert [name for name, each in said.items() if "Traceback" in each.err] == []
    assert {name: each.code for name, each in said.items()}.items() >= way.ends.items()
    # what is gone has no name for who looks for any of its kind, but for who verifies
    named = {"status": path, "verify": path, "stage": store if way.damage == "gone" else path}
    assert all(str(named[name]) in _told(each) for name, each in said.items() if each.code)
    assert after.code == 0, mending.err
    found = differences(result(store), expected)
    assert [name for name in found if not anew or not name.startswith(f"{anew}/")] == []


def _others(store: Path, proven: Path) -> list[str]:
    """Name the files of the store that have other bytes than those of the proven one."""
    found, wanted = ({str(p.relative_to(s)): _hash(p) for p in _files(s)} for s in (store, proven))
    names = [name for name in {**found, **wanted} if found.get(name) != wanted.get(name)]
    return sorted(Path(name).name for name in names)


def _files(store: Path) -> list[Path]:
    return [
        path
        for path in sorted(store.rglob("*"))
        if path.is_file() and not {"claims", "checkpoints"} & set(path.parts)
    ]


def _hash(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()


def _told(said: Said) -> str:
    return said.out + said.err


def _short(said: Said, store: Path) -> str:
    """Give the status, and what it says of what is wrong, in one line."""
    lines = [line for line in said.out.splitlines() if line.startswith(("problem", "unreadable"))]
    text = " ".join([*lines, *said.sentences]).replace(f"{store}/", "")
    return f"{said.code}: {text[:MOST_SHOWN] or 'nothing of it'}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
