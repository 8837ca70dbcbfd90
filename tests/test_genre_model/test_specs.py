"""Specs of every sort: what is refused, mappings, digests."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields

import pytest
from pydantic import TypeAdapter, ValidationError

from genre_model.errors import GenreModelError, InvalidSpec
from genre_model.frontends.log_mel import LogMel
from genre_model.recipe import EvaluateSpec, ModelSpec, TrainSpec
from genre_model.specs import Spec

SPECS = (LogMel, ModelSpec, TrainSpec, EvaluateSpec)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (ModelSpec, {"network": ""}),
        (TrainSpec, {"epochs": 0}),
        (TrainSpec, {"batch_size": 1.5}),
        (TrainSpec, {"learning_rate": 0.0}),
        (TrainSpec, {"seed": -1}),
        (TrainSpec, {"label_smoothing": 0.6}),
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
