"""What a sweep came to: which is the best, and what its recipes are worth over their seeds."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from storage.sweeps import SWEEP_COLUMNS
from tasks.sweeping import Sweep, SweptTraining


def sweep_of(*accuracies: tuple[float | None, ...]) -> Sweep:
    """Make a sweep of learning rates 1, 2 …, each with the accuracies of its seeds."""
    lines = [
        SweptTraining(
            model=f"m-{rate}-{seed}",
            settings={"training.learning_rate": rate},
            seed=seed,
            status="open" if accuracy is None else "done",
            validation_track_accuracy=accuracy,
            validation_window_accuracy=accuracy,
        )
        for rate, of_rate in enumerate(accuracies, start=1)
        for seed, accuracy in enumerate(of_rate)
    ]
    return Sweep(id="sweep-1", trainings=tuple(lines))


@pytest.mark.parametrize(
    ("accuracies", "best"),
    [
        ([(0.5, 0.6), (0.4, 0.7)], "m-2-1"),
        ([(0.6, 0.5), (0.3, 0.6)], "m-1-0"),
        ([(0.3, 0.6), (0.5, 0.6)], "m-2-1"),
        ([(0.6, 0.5), (0.6, 0.5)], "m-1-0"),
        ([(None, 0.1), (None, None)], "m-1-1"),
        ([(0.0,), (0.0,)], "m-1-0"),
        ([(None,), (None,)], None),
    ],
)
def test_the_best_is_the_highest_on_validation_then_of_the_better_recipe(
    accuracies: list[tuple[float | None, ...]], best: str | None
) -> None:
    found = sweep_of(*accuracies)
    assert (found.best.model if found.best else None) == best
    assert found.to_dict()["best"] == best


def test_seeds_of_one_recipe_are_one_line_with_mean_and_spread() -> None:
    found = sweep_of((0.5, 0.6, 0.4), (0.9, None, None), (None,) * 3).failed(8, "no memory")
    second, first, third = found.recipes
    assert second.settings == {"training.learning_rate": 2}
    assert (second.models, second.validation_mean, second.validation_spread) == (
        *(("m-2-0",), 0.9, None),
    )
    assert first.models == ("m-1-1", "m-1-0", "m-1-2")
    assert first.validation_mean == pytest.approx(0.5)
    assert first.validation_spread == pytest.approx(np.std([0.5, 0.6, 0.4], ddof=1))
    assert (third.validation_mean, third.trainings, third.failed) == (None, 3, 1)
    assert [each.validation for each in found.recipes] == ["90.0%", "50.0% ± 10.0%", ""]
    assert found.progress == "4 of 9 trainings done, 1 failed"


def test_the_table_has_a_line_a_training() -> None:
    found = sweep_of((0.5, None)).failed(1, "why")
    table = found.to_frame()
    assert tuple(table.columns) == SWEEP_COLUMNS
    assert table["status"].tolist() == ["done", "failed"]
    assert table["detail"].tolist() == ["", "why"]
    assert [json.loads(each) for each in table["settings"]] == [{"training.learning_rate": 1}] * 2
    assert table["validation_track_accuracy"].iloc[0] == 0.5
    assert math.isnan(table["validation_track_accuracy"].iloc[1])
    assert found.to_frame().dtypes.equals(sweep_of((None, None)).to_frame().dtypes)


def test_json_has_the_keys_of_the_contract() -> None:
    told = json.loads(json.dumps(sweep_of((0.5, None)).to_dict()))
    assert set(told) >= {"sweep", "trainings", "best"}
    assert all(
        set(each) >= {"model", "settings", "seed", "validation_track_accuracy"}
        for each in told["trainings"]
    )
    assert [each["validation_track_accuracy"] for each in told["trainings"]] == [0.5, None]
