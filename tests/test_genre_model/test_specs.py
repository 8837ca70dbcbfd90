"""Specs: the presets' numbers, what is refused, digests, the arithmetic of windows."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from genre_model.errors import GenreModelError, InvalidSpec
from genre_model.specs import (
    FEATURE_PRESETS,
    EvaluateSpec,
    FeatureSpec,
    ModelSpec,
    Spec,
    TrainSpec,
)

SPECS = (FeatureSpec, ModelSpec, TrainSpec, EvaluateSpec)


@pytest.mark.parametrize(
    ("name", "n_fft", "hop", "mels", "band", "scale", "frames", "stride", "key"),
    [
        ("seed", 512, 256, 64, (0, 10_000), "log1p", 256, 258, "seed-daea9ea6"),
        ("default", 1_024, 512, 128, (20, 11_025), "decibel", 128, 128, "default-189a6ab0"),
    ],
)
def test_presets_are_the_contract_and_their_keys_never_change(
    name: str,
    n_fft: int,
    hop: int,
    mels: int,
    band: tuple[float, float],
    scale: str,
    frames: int,
    stride: int,
    key: str,
) -> None:
    spec = FeatureSpec.preset(name)

    assert spec.sample_rate == 22_050
    assert (spec.n_fft, spec.hop_length, spec.n_mels) == (n_fft, hop, mels)
    assert (spec.f_min, spec.f_max) == band
    assert (spec.scale, spec.windows) == (scale, 10)
    assert (spec.window_frames, spec.window_stride) == (frames, stride)
    assert spec.row_shape == (10, mels, frames)
    # Stored arrays are found by this: a new key means that every store is computed anew.
    assert spec.key == key


def test_unknown_preset_is_refused_with_the_names_of_those_there_are() -> None:
    with pytest.raises(InvalidSpec, match=r"'sead'.*seed, default"):
        FeatureSpec.preset("sead")


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"sample_rate": 0}, "sample_rate is 0"),
        ({"sample_rate": 22_050.0}, "sample_rate"),
        ({"sample_rate": True}, "sample_rate"),
        ({"n_fft": 1_023}, "even"),
        ({"n_fft": 8}, "n_fft is 8"),
        ({"hop_length": 1_025}, "hop_length is 1025"),
        ({"n_mels": 0}, "n_mels is 0"),
        ({"f_min": -1.0}, "f_min"),
        ({"f_min": float("nan")}, "f_min"),
        ({"f_max": 11_026.0}, "f_max"),
        ({"f_min": 200.0, "f_max": 100.0}, "below f_max"),
        ({"scale": "log"}, "log1p, decibel"),
        ({"windows": 11}, "windows is 11"),
        ({"window_stride": 0}, "window_stride is 0"),
        ({"longest_clip_seconds": 29.0}, "longest_clip_seconds"),
        ({"name": "a/b"}, "'a/b'"),
        ({"name": ""}, "''"),
    ],
)
def test_bad_feature_specs_are_refused_by_name_and_value(
    changes: dict[str, object], named: str
) -> None:
    with pytest.raises(InvalidSpec, match=named):
        replace(FeatureSpec(), **changes)  # type: ignore[arg-type]


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


def test_digest_depends_on_every_field_but_the_name() -> None:
    changes: dict[str, object] = {
        "sample_rate": 24_000,
        "n_fft": 2_048,
        "hop_length": 511,
        "n_mels": 64,
        "f_min": 30.0,
        "f_max": 11_000.0,
        "scale": "log1p",
        "windows": 9,
        "window_frames": 127,
        "window_stride": 127,
        "clip_seconds": 30.5,
        "longest_clip_seconds": 32.0,
    }
    specs = [FeatureSpec()] + [replace(FeatureSpec(), **{k: v}) for k, v in changes.items()]  # type: ignore[arg-type]

    assert set(changes) == {each.name for each in fields(FeatureSpec)} - {"name"}
    assert len({spec.digest() for spec in specs}) == len(specs)
    assert replace(FeatureSpec(), name="mine").digest() == FeatureSpec().digest()
    assert ModelSpec().digest() != EvaluateSpec().digest()


def test_a_number_has_one_digest_however_it_is_written() -> None:
    assert (
        replace(FeatureSpec(), f_max=10_000).digest()
        == replace(FeatureSpec(), f_max=10_000.0).digest()
    )


@given(samples=st.integers(0, 32 * 22_050), name=st.sampled_from(sorted(FEATURE_PRESETS)))
def test_a_window_is_whole_if_the_clip_has_all_its_frames(samples: int, name: str) -> None:
    spec = FeatureSpec.preset(name)
    frames = 1 + samples // spec.hop_length if samples else 0
    ends = [w * spec.window_stride + spec.window_frames for w in range(spec.windows)]

    assert spec.whole_windows(samples) == sum(end <= frames for end in ends)


@pytest.mark.parametrize("name", sorted(FEATURE_PRESETS))
def test_thirty_seconds_have_all_windows(name: str) -> None:
    spec = FeatureSpec.preset(name)

    assert spec.whole_windows(30 * spec.sample_rate) == spec.windows
    assert spec.frames_needed == (spec.windows - 1) * spec.window_stride + spec.window_frames
    assert spec.window_seconds == pytest.approx(2.98, abs=0.02)
