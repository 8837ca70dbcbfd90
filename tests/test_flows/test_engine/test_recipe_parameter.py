"""A recipe as a flow's parameter: completed for the rows, a form, handed over whole."""

from __future__ import annotations

import json
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest
from prefect.utilities.callables import parameter_schema

from flows.engine.recipes import named_network, named_seed, recipe_for, recipes_of_sweep
from flows.options import RECIPE
from genre_model.errors import InvalidSpec
from genre_model.frontends import PRESETS
from genre_model.recipe import AugmentSpec, EvaluateSpec, ModelSpec, Recipe, TrainSpec

SGD = Recipe(model=ModelSpec(network="notebook"), training=TrainSpec(optimiser="sgd", seed=5))
NOTHING: dict[str, Any] = {"recipe": None, "network": None, "seed": None, "epochs": None}


@pytest.mark.parametrize(
    ("preset", "given", "network", "training"),
    [
        ("default", {}, "default", TrainSpec()),
        ("mfcc", {}, "linear", TrainSpec()),
        ("default", {"recipe": SGD}, "notebook", SGD.training),
        ("default", {"recipe": SGD, "network": "default"}, "default", SGD.training),
        ("default", {"seed": 0, "recipe": SGD}, "notebook", TrainSpec(optimiser="sgd")),
        ("default", {"epochs": 3}, "default", TrainSpec(epochs=3)),
        ("mfcc", {"recipe": Recipe(training=TrainSpec(seed=5))}, "linear", TrainSpec(seed=5)),
    ],
)
def test_parameters_win_over_the_recipe_and_the_rows_choose_a_network(
    preset: str, given: dict[str, Any], network: str, training: TrainSpec
) -> None:
    made = recipe_for(PRESETS[preset], **{**NOTHING, **given})
    assert made == (ModelSpec(network=network), AugmentSpec(), training)


def test_what_rows_cannot_be_augmented_by_is_refused() -> None:
    louder = Recipe(augmentation=AugmentSpec(gain=3))
    assert recipe_for(PRESETS["default"], **{**NOTHING, "recipe": louder})[1].gain == 3
    with pytest.raises(InvalidSpec, match=r"'linear' is fitted .* no use for augmentation\.gain"):
        recipe_for(PRESETS["mfcc"], **{**NOTHING, "recipe": louder})
    with pytest.raises(InvalidSpec, match=r"augmentation\.gain changes spectra, and the preset"):
        recipe_for(PRESETS["mfcc"], **{**NOTHING, "recipe": louder, "network": "mlp"})


def test_what_a_solver_ignores_is_refused() -> None:
    smooth = Recipe(training=TrainSpec(label_smoothing=0.1, ema=0.9))
    with pytest.raises(InvalidSpec, match=r"no use for training\.ema and training\.label_smooth"):
        recipe_for(PRESETS["mfcc"], **{**NOTHING, "recipe": smooth})


@pytest.mark.parametrize("given", [SGD, SGD.to_dict()])
def test_a_run_is_named_by_its_recipe(given: Any) -> None:
    assert (named_network(None, given), named_seed(None, given)) == ("notebook", 5)
    assert (named_network("mlp", given), named_seed(0, given)) == ("mlp", 0)
    assert (named_network(None, None), named_seed(None, None)) == (None, 0)


@pytest.mark.parametrize("flow", ["train_model", "full_run", "sweep"])
def test_the_form_knows_every_setting(flow: str) -> None:
    schema = parameter_schema(getattr(import_module(f"flows.{flow}"), flow)).model_dump()
    assert schema["properties"]["recipe"]["description"] == RECIPE.description
    training = schema["definitions"]["TrainSpec"]
    assert set(training["properties"]) == set(TrainSpec().to_dict())
    assert training["properties"]["schedule"]["enum"] == ["cosine", "constant", "plateau"]
    assert training["additionalProperties"] is False
    evaluation = schema["definitions"]["EvaluateSpec"]["properties"]
    assert evaluation["split"]["enum"] == ["training", "validation", "test"]


@pytest.mark.parametrize("flow", ["train_model", "full_run", "sweep"])
def test_each_setting_is_described_by_itself(flow: str) -> None:
    schema = parameter_schema(getattr(import_module(f"flows.{flow}"), flow)).model_dump()
    for spec in (Recipe, ModelSpec, AugmentSpec, TrainSpec, EvaluateSpec):
        told = schema["definitions"][spec.__name__]
        assert told["description"] == (spec.__doc__ or "").splitlines()[0]
        assert all(field.get("description") for field in told["properties"].values())
    fields = schema["definitions"]["TrainSpec"]["properties"]
    assert fields["label_smoothing"]["description"] == (
        "Share of the target spread evenly over all genres. (0 to 0.5)"
    )


def test_the_recipe_is_handed_over_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    module, sent = import_module("flows.train_model"), []
    monkeypatch.setattr(module, "name_model", lambda _store, **_what: "notebook-1")
    monkeypatch.setattr(module, "run_elsewhere", lambda _to, parameters: sent.append(parameters))
    monkeypatch.setattr(module, "describe_model", lambda *_: None)
    store = SimpleNamespace(uri="store", models=SimpleNamespace(exists=lambda _name: False))
    given = {**NOTHING, "recipe": SGD, "catalogue": "c", "preset": "default"}
    module.train_or_hand_over(store, train_on="a/b", storage_block=None, **given)
    (parameters,) = sent
    received = module.train_model.validate_parameters(json.loads(json.dumps(parameters)))
    assert received["recipe"] == SGD


OF_SWEEP: dict[str, Any] = {**NOTHING, "settings": {}, "seeds": 1, "trials": None}


def test_a_sweep_completes_each_recipe_for_the_rows() -> None:
    given = {"settings": {"training.ema": [0.0, 0.9]}, "recipe": SGD, "epochs": 3, "seeds": 2}
    found = recipes_of_sweep(PRESETS["default"], **{**OF_SWEEP, **given})
    assert [(each.settings["training.ema"], each.seed) for each in found] == [
        *((0.0, 5), (0.0, 6), (0.9, 5), (0.9, 6))
    ]
    assert [each.recipe.training.seed for each in found] == [5, 6, 5, 6]
    assert {each.recipe.training.epochs for each in found} == {3}
    assert {each.recipe.training.optimiser for each in found} == {"sgd"}
    assert {each.recipe.model for each in found} == {ModelSpec(network="notebook")}
    judged = Recipe(evaluation=EvaluateSpec(split="validation"))
    (heard,) = recipes_of_sweep(PRESETS["default"], **{**OF_SWEEP, "recipe": judged})
    assert heard.recipe.evaluation == judged.evaluation
    (usual,) = recipes_of_sweep(PRESETS["mfcc"], **{**OF_SWEEP, "seed": 9})
    assert (usual.recipe.model, usual.seed) == (ModelSpec(network="linear"), 9)


@pytest.mark.parametrize(
    ("preset", "given", "says"),
    [
        (
            "default",
            {"settings": {"model.network": ["default", "mlp"]}},
            "with model.network=mlp of the sweep: the network 'mlp' takes rows of embedding",
        ),
        (
            "mfcc",
            {"settings": {"training.ema": [0.9, 0.0]}},
            "with training.ema=0.9 of the sweep: the network 'linear' is fitted at once and has no",
        ),
        (
            "default",
            {"settings": {"evaluation.split": ["test", "validation"]}},
            "evaluation.split changes no training, so that there is nothing to sweep; say it in",
        ),
        (
            "default",
            {"settings": {"training.epochs": [3, 4]}, "epochs": 3},
            "epochs is 3 and the sweep has training.epochs; leave one of them out",
        ),
        (
            "default",
            {"settings": {"training.warmup_epochs": [1, 5]}, "epochs": 3},
            "with training.warmup_epochs=5 of the sweep: training.warmup_epochs is 5 and",
        ),
    ],
)
def test_a_sweep_with_what_cannot_be_trained_is_refused(
    preset: str, given: dict[str, Any], says: str
) -> None:
    with pytest.raises(InvalidSpec) as refused:
        recipes_of_sweep(PRESETS[preset], **{**OF_SWEEP, **given})
    assert str(refused.value).startswith(says)
