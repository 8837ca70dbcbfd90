"""What a person says of a recipe: TOML, single settings, and the sentences for what is none."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from genre_model.errors import InvalidSpec
from genre_model.recipe import Application, Recipe, TrainSpec
from genre_model.settings import NAMES, as_toml, make_recipe, parse_setting, read_settings


def whole(low: int, high: int) -> st.SearchStrategy[int]:
    return st.integers(low, high)


def real(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(low, high)


DRAWN: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "model": {
        "network": st.text(min_size=1),
        "application": st.sampled_from(get_args(Application)),
        "weights": st.text(),
    },
    "training": {
        "epochs": whole(1, 10_000),
        "batch_size": whole(1, 65_536),
        "learning_rate": real(1e-7, 1),
        "patience": whole(0, 10_000),
        "seed": whole(0, 2**32 - 1),
        "label_smoothing": real(0, 0.5),
        "pooled_shards": whole(1, 1_000),
        "optimiser": st.sampled_from(["adam", "adamw", "sgd"]),
        "momentum": real(0, 0.999),
        "weight_decay": real(0, 1),
        "clip_norm": real(0, 1e6),
        "schedule": st.sampled_from(["cosine", "constant", "plateau"]),
        "warmup_epochs": whole(0, 10_000),
        "plateau_epochs": whole(1, 10_000),
        "plateau_factor": real(0.01, 0.99),
        "class_weights": st.sampled_from(["none", "balanced"]),
        "ema": real(0, 0.9999),
        "accumulation": whole(1, 1_024),
        "head_epochs": whole(0, 10_000),
        "feed": st.sampled_from(["auto", "resident", "streaming"]),
        "precision": st.sampled_from(["float32", "bfloat16", "float16"]),
        "jit": st.sampled_from(["auto", "on", "off"]),
        "devices": st.just(1) | whole(1, 64),
    },
    "augmentation": {
        "crop_windows": whole(0, 100),
        "gain": real(0, 40),
        "equaliser": real(0, 40),
        "time_masks": whole(0, 20),
        "time_mask": real(0, 1),
        "band_masks": whole(0, 20),
        "band_mask": whole(1, 1_024),
        "mixup": real(0, 10),
    },
    "evaluation": {"split": st.sampled_from(["training", "validation", "test"])},
}
"""What a law draws of each setting."""
RECIPES = st.fixed_dictionaries(
    {}, optional={table: st.fixed_dictionaries({}, optional=each) for table, each in DRAWN.items()}
)


@settings(deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(RECIPES)
def test_a_recipe_comes_back_from_its_toml(tables: dict[str, dict[str, object]]) -> None:
    try:
        recipe = Recipe.from_dict(tables)
    except InvalidSpec:
        assume(False)
    model = recipe.model
    assume(model is None or _encodes(model.network + model.weights))
    assert make_recipe(read_settings(as_toml(recipe), where="it")) == recipe


def _encodes(text: str) -> bool:
    return not any("\ud800" <= each <= "\udfff" for each in text)


def test_the_law_knows_every_setting() -> None:
    assert {f"{table}.{name}" for table, each in DRAWN.items() for name in each} == set(NAMES)


def test_what_means_nothing_beside_the_rest_is_a_comment() -> None:
    assert "\n# momentum = 0.9\n" in as_toml(Recipe())
    assert "\nmomentum = 0.9\n" in as_toml(Recipe(training=TrainSpec(optimiser="sgd")))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("training.epochs=3", 3),
        (" training.epochs = 3 ", 3),
        ("training.learning_rate=3e-4", 3e-4),
        ("training.optimiser=adamw", "adamw"),
        ('training.optimiser="adamw"', "adamw"),
        ("training.epochs=true", True),
        ("training.epochs=1_000", 1000),
        ("training.ema=.5", ".5"),
        ("model.network=a=b", "a=b"),
        ("training.epochs=3\nother=4", "3\nother=4"),
        ("training.epochs=" + "9" * 5_000, "9" * 5_000),
    ],
)
def test_a_value_is_read_as_toml_and_a_word_is_a_text(text: str, value: object) -> None:
    assert parse_setting(text)[1] == value


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[trainig]\nepochs=3", r"it has the table \[trainig\], .* the nearest is \[training\]"),
        ("[augmentaton]", r"it has the table \[augmentaton\], .* nearest is \[augmentation\]"),
        ("[training]\nepoch=3", "it says training.epoch, .* nearest is training.epochs$"),
        ("[training.learning]\nrate=3", "says training.learning, .* training.learning_rate$"),
        ("learning_rate=3", "it says learning_rate outside of a table, .* training.learning_rate$"),
        ("[training", "it is no TOML: "),
        ("a=" + "[" * 10_000, "it is no TOML: "),
        ("[training]\nepochs=" + "9" * 5_000, "it is no TOML: "),
    ],
)
def test_what_no_recipe_has_is_refused_with_the_nearest(text: str, says: str) -> None:
    with pytest.raises(InvalidSpec, match=says):
        read_settings(text, where="it")
