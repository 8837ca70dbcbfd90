"""What a sweep trains: a grid of settings, some of it drawn, each with some seeds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from genre_model.errors import InvalidSpec
from genre_model.recipe import LARGEST_SEED, Recipe, TrainSpec
from genre_model.settings import make_recipe
from genre_model.sweeping import in_words, parse_values, plan_sweep

GRID = {"training.learning_rate": [1e-3, 1e-2], "model.network": ["default", "notebook"]}


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("training.learning_rate=1e-4,3e-4", [1e-4, 3e-4]),
        ("training.epochs=3", [3]),
        ("training.epochs = 3, 5", [3, 5]),
        ("training.optimiser=adam,adamw", ["adam", "adamw"]),
        ('training.optimiser="adam",adamw', ["adam", "adamw"]),
        ('model.weights="a,b.h5"', ["a,b.h5"]),
        ("training.ema=0,0.9", [0, 0.9]),
    ],
)
def test_values_are_read_as_those_of_one_setting_are(text: str, values: list[object]) -> None:
    name, found = parse_values(text)
    assert (name, found) == (text.partition("=")[0].strip(), values)
    assert [type(each) for each in found] == [type(each) for each in values]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("training.epochs", "--set training.epochs= gives no value; write it as training.epochs=3"),
        ("training.epochs=", "gives no value"),
        ("training.epochs=3,", "--set training.epochs=3, has an empty value"),
        ("training.epochs=,3", "has an empty value"),
        ("training.epoch=3,4", "which no recipe has; the nearest is training.epochs"),
        ("=3,4", "which no recipe has"),
    ],
)
def test_what_is_no_list_of_values_is_refused(text: str, says: str) -> None:
    with pytest.raises(InvalidSpec) as refused:
        parse_values(text)
    assert says in str(refused.value)


def test_the_grid_is_all_combinations_each_with_all_seeds() -> None:
    base = Recipe(training=TrainSpec(epochs=3, seed=7))
    found = plan_sweep(base, GRID, seeds=2)
    assert [(*each.settings.values(), each.seed) for each in found] == [
        (rate, network, seed)
        for rate in (1e-3, 1e-2)
        for network in ("default", "notebook")
        for seed in (7, 8)
    ]
    for each in found:
        expected = {"training.epochs": 3, "training.seed": each.seed, **each.settings}
        assert each.recipe == make_recipe(expected)
    assert in_words(found[0].settings) == "training.learning_rate=0.001, model.network=default"


def test_without_settings_the_seeds_are_swept() -> None:
    found = plan_sweep(Recipe(), {}, seeds=3)
    assert [each.recipe for each in found] == [
        Recipe(training=TrainSpec(seed=seed)) for seed in range(3)
    ]
    assert in_words(found[0].settings) == "the recipe"


VALUES = {
    "training.batch_size": st.integers(1, 500),
    "training.patience": st.integers(0, 500),
    "training.label_smoothing": st.floats(0, 0.5),
}


@limits(deadline=None, max_examples=50)
@given(
    settings=st.fixed_dictionaries(
        {},
        optional={
            name: st.lists(v, min_size=1, max_size=6, unique=True) for name, v in VALUES.items()
        },
    ),
    trials=st.integers(1, 300),
    seed=st.integers(0, 2**32 - 4),
    seeds=st.integers(1, 3),
)
def test_trials_are_drawn_from_the_grid_without_repetition_and_more_begin_with_fewer(
    settings: Mapping[str, Sequence[object]], trials: int, seed: int, seeds: int
) -> None:
    base = Recipe(training=TrainSpec(seed=seed))
    grid = {tuple(each.settings.items()) for each in plan_sweep(base, settings)}
    assert len(grid) == math.prod(map(len, settings.values()))
    found = plan_sweep(base, settings, seeds=seeds, trials=trials)
    drawn = [tuple(each.settings.items()) for each in found]
    assert len(drawn) == seeds * min(trials, len(grid))
    assert set(drawn) <= grid
    assert [each.seed for each in found] == [*range(seed, seed + seeds)] * (len(drawn) // seeds)
    assert len(set(drawn)) == len(drawn) // seeds
    more = plan_sweep(base, settings, seeds=seeds, trials=trials + 1)
    assert more[: len(found)] == found


def test_another_seed_draws_other_trials() -> None:
    grid = {"training.batch_size": [*range(1, 31)]}
    drawn = {
        tuple(
            each.settings["training.batch_size"]
            for each in plan_sweep(Recipe(training=TrainSpec(seed=seed)), grid, trials=5)
        )
        for seed in range(10)
    }
    assert len(drawn) == 10
    assert drawn != {tuple(range(1, 6))}


@pytest.mark.parametrize(
    ("settings", "given", "says"),
    [
        ({"training.epochs": []}, {}, "list of training.epochs is empty"),
        ({"training.epochs": [3, 5, 3]}, {}, "training.epochs=3 twice; leave one of them out"),
        ({"training.seed": [3, 5]}, {}, "is said by --seed and --seeds; leave it out"),
        ({"training.learning_rate": [0.1, 5]}, {}, "training.learning_rate is 5; it must be a num"),
        ({"training.epochs": ["many"]}, {}, "training.epochs is 'many'; it must be a whole number"),
        ({"training.epoch": [3]}, {}, "has no field 'epoch'"),
        ({"schedule.epochs": [3]}, {}, "has no field 'schedule'"),
        ({"training.momentum": [0.5, 0.9]}, {}, "'adam' has no use for"),
        ({"training.batch_size": [*range(1, 502)]}, {"seeds": 2}, "may have 1,000 trainings"),
        (
            {f"training.{name}": [*range(1, 102)] for name in ("batch_size", "epochs", "patience")},
            {"trials": 3},
            "the sweep has 1,030,301 combinations, of which 3 times 1 seeds were to be trained",
        ),
    ],
)
def test_what_cannot_be_swept_is_refused(
    settings: Mapping[str, Sequence[object]], given: Mapping[str, int], says: str
) -> None:
    with pytest.raises(InvalidSpec) as refused:
        plan_sweep(Recipe(), settings, **given)
    assert says in str(refused.value)


def test_a_value_that_no_trial_draws_is_refused_all_the_same() -> None:
    rates = [*(n / 1e4 for n in range(1, 900)), 5.0]
    with pytest.raises(InvalidSpec, match="learning_rate is 5"):
        plan_sweep(Recipe(), {"training.learning_rate": rates}, trials=1)


def test_seeds_end_where_they_end() -> None:
    last = Recipe(training=TrainSpec(seed=LARGEST_SEED))
    assert plan_sweep(last, {})[0].seed == LARGEST_SEED
    with pytest.raises(InvalidSpec, match="begin with a smaller --seed"):
        plan_sweep(last, {}, seeds=2)
