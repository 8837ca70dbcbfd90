"""A training tells of itself while it goes: a line an epoch, a bar, curves now and then."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pandas as pd
import pytest

from flows.dashboard import artifacts, training_watch
from flows.dashboard.training_watch import TrainingWatch
from tasks.models import ModelFacts

FACTS = ModelFacts(
    model="default-0a1b2c3d",
    path="/store/models/default-0a1b2c3d",
    network="default",
    parameters=81_112,
    epochs=12,
    best_epoch=4,
    catalogue="fma-00000000",
    device="CPU",
    validation_track_accuracy=0.5,
    validation_window_accuracy=0.4,
    stall_share=0.01,
    windows_per_second=500.0,
)


def history(epochs: int) -> list[dict[str, float]]:
    return [
        {
            "epoch": number,
            "loss": 2.0 / number,
            "accuracy": 0.3,
            "validation_loss": 2.0,
            "validation_window_accuracy": 0.3,
            "validation_track_accuracy": 0.5 if number == 4 else 0.25,
            "seconds": 6.0,
            "stall_share": 0.02,
            "windows_per_second": 512.4,
        }
        for number in range(1, epochs + 1)
    ]


class Told:
    """What a dashboard and a log were told."""

    def __init__(self) -> None:
        self.bars: list[tuple[float, str]] = []
        self.pages: list[tuple[str, str]] = []
        self.lines: list[str] = []
        self.now = 0.0

    def bar(self, *_id: object, progress: float = 0.0, description: str, **_key: object) -> str:
        self.bars.append((progress, description))
        return "its id"


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Iterator[Told]:
    found = Told()
    made = lambda share, *, key, description: found.bar(  # noqa: E731
        progress=share, description=f"{key}: {description}"
    )
    monkeypatch.setattr(training_watch, "create_progress_artifact", made)
    monkeypatch.setattr(training_watch, "update_progress_artifact", found.bar)
    write = lambda _self, text, *, description: found.pages.append((text, description))  # noqa: E731
    monkeypatch.setattr(artifacts.UpdatedMarkdown, "write", write)
    return found


def watch_of(told: Told) -> TrainingWatch:
    return TrainingWatch(
        "default on *default* features", log=told.lines.append, clock=lambda: told.now
    )


def test_epochs_are_told_and_curves_every_ten_seconds_at_most(told: Told) -> None:
    watch, lines = watch_of(told), history(12)
    for number in range(1, 13):
        told.now = 6.0 * number
        watch.epoch(number, 40, lines[:number])
    assert len(told.lines) == 12
    assert told.lines[3] == (
        "epoch 4 of 40: loss 0.500, validation tracks 50.0%, 512 windows/s, "
        "waited for data 2.0% of 6.0 s"
    )
    assert told.bars[0] == (2.5, "training-progress: 1 of 40 epochs")
    assert told.bars[-1] == (30.0, "12 of 40 epochs")
    assert [description for _, description in told.pages] == [
        rf"default on \*default\* features, epoch {number}" for number in (1, 3, 5, 7, 9, 11)
    ]
    assert "**50.0%** at epoch 4 of 11 so far" in told.pages[-1][0]
    assert "(data:image/png;base64," in told.pages[-1][0]
    watch.end(pd.DataFrame(lines), FACTS, most=40)
    assert told.bars[-1] == (100.0, "12 of 40 epochs, stopped early; epoch 4 is kept")
    assert "81,112 parameters" in told.pages[-1][0]
    assert "at epoch 4 of 12, on CPU" in told.pages[-1][0]


def test_quick_epochs_do_not_flood_the_server(told: Told) -> None:
    watch, lines = watch_of(told), history(100)
    for number in range(1, 101):
        told.now = 0.1 * number
        watch.epoch(number, 100, lines[:number])
    assert len(told.lines) == 100
    assert len(told.bars) <= 12
    assert told.bars[-1] == (100.0, "100 of 100 epochs")
    assert len(told.pages) == 1


@pytest.mark.parametrize("error", [httpx.ConnectError("gone"), RuntimeError("no server")])
def test_a_server_that_is_gone_ends_the_telling_alone(
    told: Told, monkeypatch: pytest.MonkeyPatch, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    watch, lines = watch_of(told), history(3)

    def fail(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(training_watch, "create_progress_artifact", fail)
    for number in (1, 2, 3):
        told.now = 60.0 * number
        watch.epoch(number, 3, lines[:number])
    watch.end(pd.DataFrame(lines), FACTS, most=3)
    assert len(told.lines) == 3
    assert told.pages == []
    assert len(caplog.records) == 1
    assert "is not told of the training any more" in caplog.text
