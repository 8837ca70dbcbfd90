"""What a sweep does about its trainings, whatever they do: without Prefect, and without any."""

from __future__ import annotations

import logging
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from flows.errors import ChildFailed, SweepFailed
from flows.results import TrainResult
from genre_model.errors import ModelError
from genre_model.recipe import Recipe
from genre_model.sweeping import Trial, plan_sweep
from storage.errors import Full
from storage.store import Store
from tasks.models import ModelFacts
from tasks.sweeping import Sweep, SweptTraining

module: Any = import_module("flows.sweep")
TRIALS = plan_sweep(Recipe(), {"training.epochs": [3, 5]}, seeds=2)
SWEEP = Sweep(
    id="sweep-0a1b2c3d",
    trainings=tuple(
        SweptTraining(model=f"default-{place}", settings=each.settings, seed=each.seed)
        for place, each in enumerate(TRIALS)
    ),
)


class Trainings:
    """Trains nothing: raises what it is given for a place, or tells an accuracy."""

    def __init__(self, store: Store, *outcomes: float | BaseException) -> None:
        self.store, self.outcomes = store, list(outcomes)
        self.trained: list[Trial] = []
        self.seen: list[list[str]] = []

    def __call__(self, trial: Trial) -> TrainResult:
        self.trained.append(trial)
        self.seen.append(statuses(self.store))
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, BaseException):
            raise outcome
        facts = ModelFacts(
            model="its id",
            path="",
            network="default",
            parameters=1,
            epochs=1,
            best_epoch=1,
            catalogue="fma-1",
            device="CPU",
            validation_track_accuracy=outcome,
            validation_window_accuracy=outcome / 2,
            stall_share=0.0,
        )
        return TrainResult(facts=facts, reused=outcome == 0.25, seconds=1.0)


def statuses(store: Store) -> list[str]:
    return store.sweeps.table(SWEEP.id).read(must_be_sealed=True)["status"].tolist()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.create(tmp_path / "store")


@pytest.fixture(autouse=True)
def shown(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Give what the artifact was shown."""
    shown: list[str] = []

    class Board:
        def show(self, sweep: Sweep) -> None:
            shown.append(sweep.progress)

    monkeypatch.setattr(module, "SweepBoard", Board)
    monkeypatch.setattr(module, "get_run_logger", lambda: logging.getLogger("sweep"))
    return shown


def test_table_and_artifact_fill_in_as_results_come(store: Store, shown: list[str]) -> None:
    train = Trainings(store, 0.25, 0.5, 0.75, 0.25)
    found = module._train_all(store, SWEEP, TRIALS, train)
    assert train.trained == list(TRIALS)
    assert train.seen == [["done"] * n + ["open"] * (4 - n) for n in range(4)]
    assert statuses(store) == ["done"] * 4
    assert shown == [f"{n} of 4 trainings done" for n in range(5)]
    assert (found.reused, found.sweep.best.model) == (2, "default-2")


@pytest.mark.parametrize(
    "error", [ModelError("the loss is no number"), ChildFailed("it was cancelled"), MemoryError()]
)
def test_one_that_fails_stops_no_other(
    store: Store, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    train = Trainings(store, 0.25, error, 0.5, 0.125)
    found = module._train_all(store, SWEEP, TRIALS, train)
    assert len(train.trained) == 4
    assert statuses(store) == ["done", "failed", "done", "done"]
    assert found.sweep.trainings[1].detail == f"{type(error).__name__}: {error}"
    assert module._best(found.sweep) == "default-2"
    assert "default-1 (training.epochs=3) failed" in caplog.text


def interrupted() -> Exception:
    error = RuntimeError("the server does not answer")
    error.__context__ = KeyboardInterrupt()
    return error


@pytest.mark.parametrize("error", [Full("no space"), KeyboardInterrupt(), interrupted()])
def test_what_every_other_would_meet_too_ends_it(store: Store, error: BaseException) -> None:
    train = Trainings(store, 0.25, error)
    with pytest.raises(type(error)):
        module._train_all(store, SWEEP, TRIALS, train)
    assert len(train.trained) == 2
    assert statuses(store) == ["done", "open", "open", "open"]


def test_where_all_failed_the_first_reason_is_told(store: Store) -> None:
    train = Trainings(store, *(ModelError(f"reason {n}") for n in range(4)))
    found = module._train_all(store, SWEEP, TRIALS, train)
    with pytest.raises(SweepFailed, match=r"all 4 .*epochs=3, seed 0\) with ModelError: reason 0"):
        module._best(found.sweep)


def test_a_line_of_progress_fits_eighty_columns(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(module.progress, "say", said.append)
    names = ("learning_rate", "label_smoothing", "weight_decay")
    long = plan_sweep(
        Recipe(), {f"training.{n}": [0.1] for n in names} | {"training.optimiser": ["adamw"]}
    )
    only = Sweep(id=SWEEP.id, trainings=SWEEP.trainings[:1])
    module._train_all(store, only, long, Trainings(store, 0.5))
    assert said[0].startswith("training 1 of 1: default-0, training.learning_rate=0.1, trai")
    assert len(said[0]) == 80
