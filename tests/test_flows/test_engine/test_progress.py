"""What flows say of how far they are goes to the display that was installed, and into its log."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from flows.engine import progress


class Kept:
    """A display that keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[object] = []

    @contextmanager
    def stage(self, name: str, *, total: int, unit: str) -> Iterator[progress.Show]:
        self.told.append((name, total, unit))
        yield lambda done, note: self.told.append((done, note))

    def say(self, sentence: str) -> None:
        self.told.append(sentence)


def show(total: int, *, done: int) -> None:
    with progress.stage("features", total=total, unit="tracks") as tell:
        tell(done, "best yet")
    progress.say("training on CPU")


def test_nothing_is_written_unless_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    show(5, done=5)
    assert capsys.readouterr() == ("", "")


def test_a_display_is_told_of_stages_and_sentences(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "_display", progress._display)
    kept = Kept()
    progress.install(kept)
    show(5, done=3)
    show(0, done=0)
    stage = [("features", 5, "tracks"), (3, "best yet")]
    assert kept.told == [*stage, "training on CPU", "training on CPU"]
    assert capsys.readouterr() == ("", "")


def test_a_run_logs_what_it_says_and_not_what_is_only_shown(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(progress, "_display", progress._display)
    kept = Kept()
    progress.install(kept)
    monkeypatch.setattr("prefect.get_run_logger", lambda: logging.getLogger("a run"))
    with caplog.at_level(logging.INFO, "a run"):
        progress.say("kept in memory, 100 % of it")
        progress.show_line("only shown")
    assert caplog.messages == ["kept in memory, 100 % of it"]
    assert kept.told == ["kept in memory, 100 % of it", "only shown"]
