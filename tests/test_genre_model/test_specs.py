"""Specs of every sort: what is refused, mappings, digests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import FrozenInstanceError, fields

import pytest
from pydantic import TypeAdapter, ValidationError

from genre_model.errors import GenreModelError, InvalidSpec
from genre_model.frontends import PRESETS
from genre_model.frontends.log_mel import LogMel
from genre_model.networks import check_network
from genre_model.recipe import EvaluateSpec, ModelSpec, Recipe, TrainSpec
from genre_model.specs import Spec

SPECS = (LogMel, ModelSpec, TrainSpec, EvaluateSpec, Recipe)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (ModelSpec, {"network": ""}),
        (TrainSpec, {"epochs": 0}),
        (TrainSpec, {"batch_size": 1.5}),
        (TrainSpec, {"learning_rate": 0.0}),
        (TrainSpec, {"seed": -1}),
        (TrainSpec, {"label_smoothing": 0.6}),
        (TrainSpec, {"learning_rate": 10**400}),
        (TrainSpec, {"optimiser": "adams"}),
        (TrainSpec, {"schedule": ["cosine"]}),
        (TrainSpec, {"class_weights": None}),
        (TrainSpec, {"ema": 1}),
        (TrainSpec, {"accumulation": 0}),
        (TrainSpec, {"warmup_epochs": 40}),
        (TrainSpec, {"momentum": 0.5}),
        (TrainSpec, {"weight_decay": 0.1}),
        (TrainSpec, {"plateau_factor": 0.1, "schedule": "constant"}),
        (Recipe, {"training": 3}),
        (Recipe, {"model": {}}),
        (EvaluateSpec, {"split": "train"}),
    ],
)
def test_other_bad_specs_are_refused(kind: type[Spec], values: dict[str, object]) -> None:
    with pytest.raises(InvalidSpec, match=next(iter(values))):
        kind(**values)


@pytest.mark.parametrize("kind", SPECS)
def test_a_spec_survives_its_mapping(kind: type[Spec]) -> None:
    spec = kind()

    assert kind.from_dict(spec.to_dict()) == spec
    assert kind.from_dict({}) == spec
    assert set(spec.to_dict()) == {each.name for each in fields(kind)}


@pytest.mark.parametrize("kind", SPECS)
def test_unknown_keys_are_refused_with_the_known_ones(kind: type[Spec]) -> None:
    with pytest.raises(InvalidSpec, match=f"no field 'tempo'.*{fields(kind)[0].name}"):
        kind.from_dict({"tempo": 120})


@pytest.mark.parametrize(
    ("make", "near"),
    [
        (lambda: TrainSpec.from_dict({"lerning_rate": 1}), "learning_rate"),
        (lambda: Recipe.from_dict({"trainig": {}}), "training"),
        (lambda: TrainSpec(optimiser="adamm"), "adam"),  # type: ignore[arg-type]
        (lambda: EvaluateSpec(split="train"), "training"),  # type: ignore[arg-type]
        (lambda: check_network("resnet", frontend=PRESETS["default"]), "resnet-s"),
        (lambda: check_network("Notebook", frontend=PRESETS["default"]), "notebook"),
    ],
)
def test_the_nearest_name_is_told(make: Callable[[], object], near: str) -> None:
    with pytest.raises(InvalidSpec, match=f"; the nearest is {near}$"):
        make()


def test_where_no_name_is_near_none_is_told() -> None:
    for value in ("lbfgs", ["adam"], None):
        with pytest.raises(InvalidSpec, match=r"one of adam, adamw, sgd$"):
            TrainSpec(optimiser=value)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", SPECS)
def test_unknown_keys_are_refused_as_flow_parameters(kind: type[Spec]) -> None:
    adapter = TypeAdapter(kind)

    assert adapter.validate_python(kind().to_dict()) == kind()
    with pytest.raises(ValidationError, match="tempo"):
        adapter.validate_python({"tempo": 120})


@pytest.mark.parametrize("kind", SPECS)
def test_specs_are_frozen_and_hashable(kind: type[Spec]) -> None:
    spec = kind()

    assert len({spec, kind()}) == 1
    with pytest.raises(FrozenInstanceError):
        setattr(spec, fields(kind)[0].name, "other")


def test_errors_are_the_rooms_and_the_builtin_that_callers_expect() -> None:
    assert issubclass(InvalidSpec, GenreModelError)
    assert issubclass(InvalidSpec, ValueError)


def test_specs_of_two_sorts_have_two_digests() -> None:
    assert len({kind().digest() for kind in SPECS}) == len(SPECS)


def test_ids_of_before_stay_and_whatever_is_set_makes_another() -> None:
    """The digests are those of the version that knew no optimiser."""
    before = "453fe85666e180e4062da6305fb0c43d8623f02cd18e5fb632a1668fa170bb9e"
    assert TrainSpec().digest() == before
    set_too = "8356e1643ceadb43b9b44c1fcede930a670ec85772926c0e45b0c0f1b64ef1fd"
    assert TrainSpec(seed=7, epochs=3).digest() == set_too
    network = "cc0547eaa6e15940d172704e6f88aec7215328943fbc5ba6d925b83dfa78f858"
    assert ModelSpec(network="default").digest() == network
    others = [
        {"optimiser": "adamw"},
        {"optimiser": "sgd"},
        {"optimiser": "sgd", "momentum": 0.5},
        {"optimiser": "adamw", "weight_decay": 0.1},
        {"schedule": "constant"},
        {"schedule": "plateau"},
        {"schedule": "plateau", "plateau_epochs": 2},
        {"schedule": "plateau", "plateau_factor": 0.1},
        *({"warmup_epochs": 2}, {"clip_norm": 1}, {"ema": 0.99}, {"accumulation": 2}),
        {"class_weights": "balanced"},
    ]
    assert len({before, *(TrainSpec(**each).digest() for each in others)}) == len(others) + 1
    for name in sorted({name for each in others for name in each}):
        assert name not in TrainSpec._first, name


def test_a_recipe_of_mappings_is_one_of_specs() -> None:
    recipe = Recipe(model=ModelSpec(network="mlp"), training=TrainSpec(optimiser="sgd"))
    assert Recipe.from_dict(recipe.to_dict()) == recipe
    assert TypeAdapter(Recipe).validate_python(recipe.to_dict()) == recipe
    assert Recipe.from_dict({"training": {"optimiser": "sgd"}}) == Recipe(training=recipe.training)
    with pytest.raises(ValidationError, match="tempo"):
        TypeAdapter(Recipe).validate_python({"training": {"tempo": 120}})
    with pytest.raises(ValidationError, match=r"training\.epochs is 0; it must be a whole number"):
        TypeAdapter(Recipe).validate_python({"training": {"epochs": 0}})
