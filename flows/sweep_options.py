"""The options of `genre sweep` and its flow; as those of `flows.options`."""

from __future__ import annotations

from typing import Annotated

from flows.option import Option
from genre_model.sweeping import MOST_TRAININGS

SWEPT = Option(
    name="settings",
    flag="--set",
    help="Values of one setting of the recipe, as training.learning_rate=1e-4,3e-4; repeatable. "
    "All combinations are trained.",
    form="Setting of the recipe -> list of its values; all combinations are trained. As "
    '{"training.learning_rate": [0.0001, 0.0003]}.',
    kind=dict,
    unset="the recipe alone",
    metavar="TABLE.KEY=VALUE,VALUE…",
    is_repeatable=True,
)
SEEDS = Option(
    name="seeds",
    help="Trainings of each combination, each with a seed of its own, counted up from --seed.",
    form="Trainings of each combination, each with a seed of its own, counted up from `seed`.",
    kind=int,
    default=1,
    low=1,
    high=100,
)
TRIALS = Option(
    name="trials",
    help="Combinations that are drawn at random, from --seed, and trained.",
    form="Combinations that are drawn at random, from `seed`, and trained.",
    kind=int,
    unset="all of them",
    low=1,
    high=MOST_TRAININGS,
)
EVALUATE_BEST = Option(
    name="evaluate_best",
    kind=bool,
    help="Read the test split once, for the best on validation, when all is trained.",
)

# The flow's parameters.
Swept = Annotated[dict[str, list[int | float | str]] | None, SWEPT]
Seeds = Annotated[int, SEEDS]
Trials = Annotated[int | None, TRIALS]
EvaluateBest = Annotated[bool, EVALUATE_BEST]
