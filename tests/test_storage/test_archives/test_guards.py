"""Which names may become files."""

from __future__ import annotations

import os
from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from storage.archives.guards import clashes, name_fault

PIECES = st.sampled_from(["fma_small", "000", "a.mp3", "..", ".", "", "C:", "\\", "\x00", "é", "~"])
NAMES = st.one_of(
    st.lists(PIECES, min_size=1, max_size=6).map("/".join),
    st.lists(PIECES, min_size=1, max_size=6).map(lambda parts: "fma_small/" + "".join(parts)),
    st.text(max_size=40).map("fma_small/".__add__),
)


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("fma_small/000/000002.mp3", None),
        ("fma_small/README.txt", None),
        ("fma_small/", None),
        ("fma_small/..hidden", None),
        ("fma_small/.git/config", None),
        ("fma_small/..hidden..", "has a part that ends with a dot or a space"),
        ("fma_small/x /y", "has a part that ends with a dot or a space"),
        ("fma_small/con.mp3", "is a device on Windows"),
        ("fma_small/lpt1/x", "is a device on Windows"),
        ("fma_small/console.mp3", None),
        ("fma_small/\u202e3pm.x", "has a control sign"),
        ("/etc/passwd", "is absolute"),
        ("fma_small/../../x", "leads out of its folder"),
        ("../x", "leads out of its folder"),
        ("fma_small/..", "leads out of its folder"),
        ("fma_small\\..\\x", "has a backslash"),
        ("C:/x", "has a drive letter or a colon"),
        ("fma_small/x:stream", "has a drive letter or a colon"),
        ("fma_small//x", "has an empty part"),
        ("fma_small/./x", "has an empty part"),
        ("fma_small/a\x00.mp3", "has a control sign"),
        ("fma_small/a\n.mp3", "has a control sign"),
        ("fma_metadata/tracks.csv", "is not below fma_small/"),
        ("fma_small_evil/x", "is not below fma_small/"),
        ("fma_small", "takes the place of the folder fma_small/"),
        ("", "has an empty part"),
        ("fma_small/" + "x" * 241, "has too long a part"),
        ("fma_small/" + "x/" * 500 + "y", "is too long"),
    ],
)
def test_names(name: str, fault: str | None) -> None:
    assert name_fault(name, root="fma_small") == fault


@given(NAMES)
@example("fma_small/a/../../../etc/passwd")
def test_a_good_name_stays_below_its_folder_on_every_system(name: str) -> None:
    if name_fault(name, root="fma_small") is not None:
        return
    landed = os.path.normpath(f"/data/{name}")
    assert landed == f"/data/{name}".rstrip("/")
    assert landed == "/data/fma_small" or landed.startswith("/data/fma_small/")
    windows = PureWindowsPath(name)
    assert not windows.drive
    assert not windows.root
    assert windows.parts == PurePosixPath(name).parts
    assert windows.parts[0] == "fma_small"


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["a", "b", "a/"], ["a/"]),
        (["a", "a"], ["a"]),
        (["A.mp3", "a.mp3"], ["a.mp3"]),
        (["caf\u00e9", "cafe\u0301"], ["cafe\u0301"]),
        (["x", "x/y"], ["x/y"]),
        (["x/y", "x"], ["x"]),
        (["x/y/z", "X"], ["X"]),
        (["x/y", "x/z", "xy"], []),
    ],
)
def test_names_that_are_the_same_file_somewhere(names: list[str], found: list[str]) -> None:
    assert list(clashes(name for name in names if not name.endswith("/"))) == [
        name for name in found if not name.endswith("/")
    ]
