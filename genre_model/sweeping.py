"""A sweep's trainings: combinations of the values of some settings, times some seeds.

learning_rate = a, b  }        a,x  a,y
network = x, y        }  grid  b,x  b,y     each with the seeds 0, 1, 2

With a number of trials, so many of the grid's combinations are drawn.
"""

from __future__ import annotations

import math
import random
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from genre_model.errors import InvalidSpec
from genre_model.recipe import LARGEST_SEED, Recipe
from genre_model.settings import make_recipe, parse_setting

MOST_TRAININGS = 1_000
"""Of one sweep."""
MOST_COMBINATIONS = 1_000_000
"""Of a grid that trials are drawn from."""
SEED = "training.seed"

Settings = Mapping[str, object]
"""Name -> value, as `training.epochs` -> 3."""


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One training of a sweep.

    Attributes
    ----------
    settings : Mapping
        What it has of the sweep's settings.
    seed : int
    recipe : Recipe
        All of it, the seed too.
    """

    settings: Settings
    seed: int
    recipe: Recipe

    @property
    def words(self) -> str:
        """Say which it is."""
        return in_words(self.settings)


def in_words(settings: Settings) -> str:
    """Write settings as `--set` takes them.

    Examples
    --------
    >>> in_words({"training.epochs": 3, "model.network": "default"})
    'training.epochs=3, model.network=default'
    """
    return ", ".join(f"{name}={value}" for name, value in settings.items()) or "the recipe"


def parse_values(text: str) -> tuple[str, list[object]]:
    """Read the values of one setting, as a sweep's `--set` takes them.

    Parameters
    ----------
    text : str
        The name, and values with commas between them, each as `settings.parse_setting` takes it.

    Raises
    ------
    InvalidSpec
        If no recipe has such a setting, or a value is empty.

    Examples
    --------
    >>> parse_values("training.learning_rate=1e-4,3e-4")
    ('training.learning_rate', [0.0001, 0.0003])
    >>> parse_values("model.network=default,notebook")
    ('model.network', ['default', 'notebook'])
    """
    name, _, listed = text.partition("=")
    parts = _parts(listed)
    if len(parts) > 1 and not all(parts):
        raise InvalidSpec(
            f"--set {text} has an empty value; write it as training.epochs=3,5, without a comma at "
            "its ends"
        )
    pairs = [parse_setting(f"{name}={part}") for part in parts]
    return pairs[0][0], [value for _, value in pairs]


def _parts(listed: str) -> list[str]:
    """Split at commas, but for those within a text of TOML's."""
    try:
        values = tomllib.loads(f"value = {listed}").get("value")
    except (ValueError, RecursionError):
        values = None
    return [listed] if isinstance(values, str) else [part.strip() for part in listed.split(",")]


def plan_sweep(
    base: Recipe,
    settings: Mapping[str, Sequence[object]],
    *,
    seeds: int = 1,
    trials: int | None = None,
) -> tuple[Trial, ...]:
    """List the trainings of a sweep: all seeds of a combination, then those of the next.

    Parameters
    ----------
    base : Recipe
        What is not swept; its seed is the first one, and what trials are drawn with.
    settings : Mapping
        Name -> values. The last name's values change first.
    seeds : int
        How many, counted up from the first.
    trials : int, optional
        Combinations to draw; of a larger number the first ones are the same. All by default, also
        where there are fewer.

    Raises
    ------
    InvalidSpec
        If a list is empty or holds a value twice, a name or value is refused, or there is more to
        train than a sweep may have.
    """
    _check_lists(settings)
    first = base.training.seed
    if first + seeds - 1 > LARGEST_SEED:
        raise InvalidSpec(
            f"the seeds of a sweep go from {first} to {first + seeds - 1}, and the largest is "
            f"{LARGEST_SEED}; begin with a smaller --seed"
        )
    told = _told(base)
    for single in _each_value(settings):
        _recipe(told, single, first)
    drawn = _combinations(settings, _places(settings, trials=trials, seeds=seeds, seed=first))
    return tuple(
        Trial(settings=each, seed=seed, recipe=_recipe(told, each, seed))
        for each in drawn
        for seed in range(first, first + seeds)
    )


def _check_lists(settings: Mapping[str, Sequence[object]]) -> None:
    for name, values in settings.items():
        if name == SEED:
            raise InvalidSpec(f"a sweep's {SEED} is said by --seed and --seeds; leave it out")
        if name.startswith("evaluation."):
            raise InvalidSpec(
                f"{name} changes no training, so that there is nothing to sweep; say it in --config"
            )
        if not values:
            raise InvalidSpec(f"the sweep's list of {name} is empty; give values, or leave it out")
        for place, value in enumerate(values):
            if value in values[:place]:
                raise InvalidSpec(f"the sweep has {name}={value} twice; leave one of them out")


def _told(base: Recipe) -> dict[str, object]:
    """Return the settings of a recipe that are not at their default, by name."""
    tables = base.to_dict()
    return {
        f"{table}.{name}": value
        for table, content in tables.items()
        if isinstance(content, Mapping)
        for name, value in content.items()
    }


def _recipe(told: Settings, settings: Settings, seed: int) -> Recipe:
    return make_recipe({**told, **settings, SEED: seed})


def _each_value(settings: Mapping[str, Sequence[object]]) -> Iterator[dict[str, object]]:
    """Give combinations in which each value stands once, as trials may not draw it."""
    for name, values in settings.items():
        for value in values:
            yield {other: each[0] for other, each in settings.items()} | {name: value}


def _places(
    settings: Mapping[str, Sequence[object]], *, trials: int | None, seeds: int, seed: int
) -> Sequence[int]:
    """Choose what is trained by its place in the grid: all in order, or as they are drawn."""
    size = math.prod(map(len, settings.values()))
    taken = size if trials is None else min(trials, size)
    if taken * seeds > MOST_TRAININGS or size > MOST_COMBINATIONS:
        raise InvalidSpec(
            f"the sweep has {size:,} combinations, of which {taken:,} times {seeds:,} seeds were "
            f"to be trained; it may have {MOST_TRAININGS:,} trainings, drawn from "
            f"{MOST_COMBINATIONS:,} combinations: give fewer values, or --trials"
        )
    places = list(range(size))
    if trials is not None:
        random.Random(seed).shuffle(places)
    return places[:taken]


def _combinations(
    settings: Mapping[str, Sequence[object]], places: Sequence[int]
) -> Iterator[dict[str, object]]:
    for place in places:
        found: dict[str, object] = {}
        for name, values in reversed([*settings.items()]):
            place, digit = divmod(place, len(values))
            found[name] = values[digit]
        yield dict(reversed(found.items()))
