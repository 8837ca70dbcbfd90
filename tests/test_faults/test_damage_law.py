"""A law: whatever befalls one file of a store is answered, named and mended."""

from __future__ import annotations

import io
import os
import re
from pathlib import Path
from typing import Any

import pytest
from fault_damages import HOWS, KINDS, Damage, copy_store, files_by_kind
from fault_genre import Genre, Said
from fault_results import differences, result
from fault_runs import Runs, look, problems_of
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from flows.command import render
from flows.results import StatusResult
from storage.errors import UnknownFormat

pytestmark = pytest.mark.faults

DRAWS = int(os.environ.get("GENRE_LAW", "25"))
"""How many damages are drawn; of so many more a tenth is told to the command itself."""

UNTOLD = {("predicted folder", "delete"), ("sweep", "delete")}
"""What nothing else in the store knows of."""


@st.composite
def damages(draw: st.DrawFn, files: dict[str, list[str]]) -> Damage:
    """Draw a kind, a file of it, and what befalls it."""
    kind = draw(st.sampled_from(sorted(files)))
    return Damage(
        kind=kind,
        path=draw(st.sampled_from(files[kind])),
        how=draw(st.sampled_from(sorted(HOWS))),
        at=draw(st.integers(0, 999_999)) / 1e6,
    )


LAW = settings(
    max_examples=DRAWS,
    deadline=None,
    print_blob=True,
    database=None,
    phases=[Phase.generate],  # a damage has nothing that could be made simpler
    suppress_health_check=list(HealthCheck),
)


def test_a_store_has_a_file_of_every_kind(proven: Path) -> None:
    files = files_by_kind(proven)
    assert sorted(files) == sorted(KINDS)
    assert all(len(files[kind]) > 1 for kind in ("catalogue", "plan", "shard", "network"))


def test_the_runs_of_a_whole_store_change_nothing(
    proven: Path, runs: Runs, expected: dict[str, Any], tmp_path: Path
) -> None:
    store = copy_store(proven, tmp_path / "store")
    runs.full(store, runs.grown)
    runs.full(store, runs.first)
    assert problems_of(store) == []
    assert differences(result(store), expected) == []


@LAW
@given(data=st.data())
def test_in_this_process(
    proven: Path,
    runs: Runs,
    expected: dict[str, Any],
    tmp_path_factory: pytest.TempPathFactory,
    data: st.DataObject,
) -> None:
    damage = data.draw(damages(files_by_kind(proven)))
    store = copy_store(proven, tmp_path_factory.getbasetemp() / "damaged")
    path = damage.do(store)
    if is_other_format(path):
        with pytest.raises(UnknownFormat, match=re.escape(str(store))):
            look(store)
        clear(path)
    else:
        for verify in (False, True):
            found = look(store, verify=verify)
            render.status(StatusResult(status=found), io.StringIO())
        assert_named(path, damage, [each.to_dict() for _, each in found.problems or ()])
    runs.mend(store)
    assert problems_of(store) == []
    assert differences(result(store), expected) == []


@settings(LAW, max_examples=-(-DRAWS // 10))
@given(data=st.data())
def test_by_the_command(
    proven: Path,
    runs: Runs,
    genre: Genre,
    expected: dict[str, Any],
    tmp_path_factory: pytest.TempPathFactory,
    data: st.DataObject,
) -> None:
    damage = data.draw(damages(files_by_kind(proven)))
    store = copy_store(proven, tmp_path_factory.getbasetemp() / "damaged")
    path = damage.do(store)
    plain = genre.said("status", "--store", store)
    read = genre.said("status", "--store", store, "--verify", "--json")
    if is_other_format(path):
        assert_refused(plain, store)
        assert_refused(read, store)
        clear(path)
    else:
        assert plain.code == 0, plain.err
        is_untold = (damage.kind, damage.how) in UNTOLD
        assert read.code == (0 if is_untold else 1), read.err
        assert_named(path, damage, read.json["problems"])
    said = [plain, read]
    for each in (runs.grown, runs.first):
        if each == runs.grown or problems_of(store):
            said.append(genre.said(*runs.command(store, each)))
            assert said[-1].code == 0, said[-1].err
    runs.predict(store)  # has no command
    runs.sweep(store)
    assert genre("status", "--store", store, "--verify")["problems"] == []
    assert [each.err for each in said if "Traceback" in each.err] == []
    assert differences(result(store), expected) == []


def assert_named(path: Path, damage: Damage, problems: list[dict[str, Any]]) -> None:
    """Check that a problem is of that file, and that each says what it costs and what mends it."""
    if (damage.kind, damage.how) in UNTOLD:
        return
    assert str(path) in {problem["path"] for problem in problems}, problems
    assert all(each["what"] and each["detail"] for each in problems), problems
    assert all(each["costs"] and each["mend"] for each in problems), problems


def assert_refused(said: Said, path: Path) -> None:
    """Check that a command ended with one sentence that names a file."""
    assert said.code == 2, said.err
    (sentence,) = said.sentences
    assert str(path) in sentence


def is_other_format(path: Path) -> bool:
    """Whether a store.json says in so many words that another version wrote it."""
    is_written = path.name == "store.json" and path.is_file() and path.stat().st_size < 100
    return is_written and bool(re.fullmatch(rb'{"format": [02-9]}\n', path.read_bytes()))


def clear(path: Path) -> None:
    """Take away what lies in the place of a file."""
    if path.is_dir():
        for each in path.iterdir():
            each.unlink()
        path.rmdir()
    else:
        path.unlink(missing_ok=True)
