"""Presets and kinds of frontends: their numbers, names and digests, and how stored ones open."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genre_model import frontends
from genre_model.errors import InvalidSpec
from genre_model.frontends import KINDS, PRESETS, Frontend, frontend_from_dict
from genre_model.frontends.cutting import Cutting
from genre_model.frontends.log_mel import DEFAULT, LogMel
from genre_model.signal.filters import MelBank
from genre_model.signal.mel_spec import MelSpec


@pytest.mark.parametrize(
    ("name", "n_fft", "hop", "mels", "band", "scale", "frames", "stride", "key"),
    [
        ("notebook", 512, 256, 64, (0, 10_000), "log1p", 256, 258, "notebook-4714da82"),
        ("default", 1_024, 512, 128, (20, 11_025), "decibel", 128, 128, "default-58b82eee"),
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
    spec = frontends.preset(name)

    assert spec.sample_rate == 22_050
    assert (spec.n_fft, spec.hop_length, spec.n_mels) == (n_fft, hop, mels)
    assert (spec.f_min, spec.f_max) == band
    assert (spec.scale, spec.windows) == (scale, 10)
    assert (spec.window_frames, spec.window_stride) == (frames, stride)
    assert spec.row_shape == (10, mels, frames)
    # Stored arrays are found by this: a new key means that every store is computed anew.
    assert spec.key == key


def test_unknown_preset_is_refused_with_the_names_of_those_there_are() -> None:
    with pytest.raises(InvalidSpec, match=r"'sead'.*default, notebook"):
        frontends.preset("sead")


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
        ({"name": "-n"}, "'-n'"),
        ({"name": 3}, "name is 3"),
        ({"kind": "mfcc"}, "kind is 'mfcc'"),
    ],
)
def test_bad_feature_specs_are_refused_by_name_and_value(
    changes: dict[str, object], named: str
) -> None:
    with pytest.raises(InvalidSpec, match=named):
        replace(DEFAULT, **changes)  # type: ignore[arg-type]


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
    specs = [DEFAULT] + [replace(DEFAULT, **{k: v}) for k, v in changes.items()]  # type: ignore[arg-type]

    assert set(changes) == {each.name for each in fields(LogMel)} - {"kind", "name"}
    assert len({spec.digest() for spec in specs}) == len(specs)
    assert replace(DEFAULT, name="mine").digest() == DEFAULT.digest()


def test_a_number_has_one_digest_however_it_is_written() -> None:
    assert replace(DEFAULT, f_max=10_000).digest() == replace(DEFAULT, f_max=10_000.0).digest()


@given(samples=st.integers(0, 32 * 22_050), name=st.sampled_from(sorted(PRESETS)))
def test_a_window_is_whole_if_the_clip_has_all_its_frames(samples: int, name: str) -> None:
    cutting = frontends.preset(name).cutting
    frames = 1 + samples // cutting.hop_length if samples else 0
    ends = [w * cutting.window_stride + cutting.window_frames for w in range(cutting.windows)]

    assert cutting.whole_windows(samples) == sum(end <= frames for end in ends)


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_thirty_seconds_have_all_windows(name: str) -> None:
    spec = frontends.preset(name)

    assert spec.cutting.whole_windows(30 * spec.cutting.sample_rate) == spec.windows
    assert spec.window_seconds == pytest.approx(2.98, abs=0.02)


@dataclass(frozen=True, kw_only=True)
class Embedding(Frontend):
    """Stands in for a kind whose rows are no pictures."""

    array: ClassVar[str] = "embedding"
    dimensions: ClassVar[tuple[str, ...]] = ("window", "value")

    kind: str = "made"
    name: str = "one+other-2"
    values: int = 200

    def __post_init__(self) -> None:
        self._check_name()

    @property
    def row_shape(self) -> tuple[int, ...]:
        return 10, self.values

    @property
    def cutting(self) -> Cutting:
        return DEFAULT.cutting

    @property
    def mel(self) -> MelSpec:
        return DEFAULT.mel

    def with_filters(self, bank: MelBank) -> Any:
        raise NotImplementedError


def test_a_digest_is_made_of_kind_version_and_fields() -> None:
    content = {"spec": "LogMel", "version": 2, **DEFAULT.to_dict()}
    del content["name"]
    assert content["kind"] == "log_mel"
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    assert DEFAULT.digest() == hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_stands_under_its_name_and_its_kind_and_opens_again(name: str) -> None:
    frontend = PRESETS[name]
    stored = json.loads(json.dumps(frontend.to_dict()))

    assert frontend.name == name
    assert type(frontend) is KINDS[frontend.kind]
    assert frontend_from_dict(stored) == frontend
    assert len(frontend.dimensions) == len(frontend.row_shape)
    assert (frontend.dimensions[0], frontend.row_shape[0]) == ("window", frontend.windows)


@pytest.mark.parametrize("stored", [{"name": "default"}, {"kind": "loud"}, {"kind": ["log_mel"]}])
def test_a_stored_frontend_of_no_known_kind_is_refused(stored: dict[str, object]) -> None:
    with pytest.raises(InvalidSpec, match=r"no kind of frontend .*the kinds are log_mel"):
        frontend_from_dict(stored)


def test_a_new_kind_is_one_class_and_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frontends, "KINDS", {**KINDS, "made": Embedding})

    opened = frontend_from_dict(Embedding(values=256).to_dict())

    assert opened == Embedding(values=256)
    assert (opened.row_shape, opened.windows) == ((10, 256), 10)
    assert opened.key == f"one+other-2-{opened.digest()[:8]}"
    assert opened.digest() != Embedding().digest()


def test_the_names_are_read_without_anything_heavy() -> None:
    program = "import genre_model.frontends, genre_model.networks, sys; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    heavy = {"numpy", "scipy", "soundfile", "soxr", "librosa", "keras", "pandas"}
    assert "genre_model.frontends.log_mel" in done.stdout.split()
    assert heavy.isdisjoint(done.stdout.split())
