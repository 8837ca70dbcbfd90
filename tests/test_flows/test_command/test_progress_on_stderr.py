"""Progress is on stderr alone, and a line a stage where nobody watches."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import SimpleNamespace

import pytest

from flows.command.progress import Bars, enable
from flows.engine import progress
from genre_model.frontends import PRESETS
from tasks.models import ModelFacts

MODULE = import_module("flows.train_model")


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


@pytest.mark.parametrize(
    ("name", "total", "unit", "done", "note"),
    [
        ("training", 40, "epochs", 12, "loss 1.234, tracks 45.2%, 1,234 windows/s"),
        ("training", 100, "epochs", 100, "loss 0.034, tracks 100.0%, 512 windows/s"),
        ("training", 100, "epochs", 99, "stopped early, kept epoch 90 (100.0%)"),
        ("features", 106_574, "tracks", 98_765, ""),
    ],
)
def test_a_bar_fits_eighty_columns(
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    total: int,
    unit: str,
    done: int,
    note: str,
) -> None:
    for variable, value in (("COLUMNS", "80"), ("FORCE_COLOR", "1"), ("TERM", "xterm-256color")):
        monkeypatch.setenv(variable, value)
    with Bars().stage(name, total=total, unit=unit) as tell:
        tell(done, note)
    drawn = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", capfd.readouterr().err)
    lines = [line.strip("\r") for line in re.split(r"[\r\n]+", drawn) if line.strip()]
    assert max(map(len, lines)) <= 80
    assert lines[-1].startswith(name)
    assert lines[-1].rstrip().endswith(note)
    assert f"{done}/{total}" in lines[-1]
    assert unit in lines[-1]


@pytest.mark.parametrize(
    ("epochs", "is_reused", "network", "shown"),
    [
        (
            12,
            False,
            "default",
            [(12, "stopped early, kept epoch 4 (45.2%)")],
        ),
        (40, False, "default", []),
        (12, True, "default", []),
        (1, False, "linear", []),  # which is fitted at once
    ],
)
def test_what_stops_early_says_so_on_its_line(
    monkeypatch: pytest.MonkeyPatch,
    epochs: int,
    is_reused: bool,
    network: str,
    shown: list[tuple[int, str]],
) -> None:
    facts = ModelFacts(
        model="a-model",
        path="",
        network=network,
        parameters=1,
        epochs=epochs,
        best_epoch=4,
        catalogue="",
        device="CPU",
        validation_track_accuracy=0.452,
        validation_window_accuracy=0.4,
        stall_share=0.0,
    )
    preset = PRESETS["mfcc" if network == "linear" else "default"]
    nothing = SimpleNamespace(epoch=None, end=lambda *_, **__: None, models=None)
    for name, given in {
        "store_address": None,
        "storage_options": None,
        "find_preset": preset,
        "load_labelled": nothing,
        "TrainingWatch": nothing,
        "get_run_logger": logging.getLogger("a run"),
        "train_network": (facts, is_reused),
        "read_history": None,
    }.items():
        monkeypatch.setattr(MODULE, name, lambda *_, given=given, **__: given)
    monkeypatch.setattr(MODULE, "Store", SimpleNamespace(open=lambda *_: nothing))
    found: list[tuple[int, str]] = []

    @contextmanager
    def stage(*_: object, **__: object) -> Iterator[progress.Show]:
        yield lambda done, note: found.append((done, note))

    monkeypatch.setattr(progress, "stage", stage)
    MODULE.train_model.fn(network=network)
    assert found == shown
