"""Progress is on stderr alone, and a line a stage where nobody watches."""

from __future__ import annotations

import pytest

from flows.command.progress import enable
from flows.engine import progress


@pytest.fixture
def enabled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_display", progress._display)
    enable()


def show(total: int, *, done: int, note: str = "") -> None:
    with progress.stage("features", total=total, unit="tracks") as tell:
        tell(done, note)
    progress.say("training on CPU")


@pytest.mark.usefixtures("enabled")
def test_a_stage_is_a_line_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    show(1_234, done=1_200, note="best yet")
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines()[0].startswith("features: 1,200 of 1,234 tracks, best yet, ")
    assert err.splitlines()[1] == "training on CPU"


@pytest.mark.usefixtures("enabled")
def test_a_stage_with_nothing_to_do_is_not_mentioned(capsys: pytest.CaptureFixture[str]) -> None:
    show(0, done=0)
    assert capsys.readouterr().err == "training on CPU\n"
