"""An array that is verified while a run writes it: what is being written is no problem."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from feature_runs import LAYOUT, library, open_array, plan, run, write

from storage.array.feature_array import FeatureArray
from storage.array.layout import manifest_name
from storage.array.second_look import verify_as_it_is_written
from storage.array.verification import verify
from storage.store import Store

AUDIO = library(150)
"""Three shards."""


@pytest.fixture
def features(tmp_path: Path) -> FeatureArray:
    array = open_array(Store.create(tmp_path / "store"))
    run(array, AUDIO)
    return array


def problems(
    features: FeatureArray, asked: Sequence[bool], at: Sequence[Callable[[], object]] = ()
) -> list[tuple[int | None, str]]:
    """Verify; as it asks for the n-th time who writes, do the n-th of `at` and answer."""
    answers, steps = iter(asked), iter(at)

    def is_written() -> bool:
        next(steps, lambda: None)()
        return next(answers)

    found = verify_as_it_is_written(features, is_written=is_written)
    return [(problem.shard, problem.what) for problem in found]


def refresh(features: FeatureArray, *shards: int) -> Callable[[], object]:
    """Begin as `--refresh` does."""
    return lambda: features.begin_repair(shards)


def flip(features: FeatureArray, shard: int) -> None:
    place = features.location / LAYOUT.shard_name(shard)
    data = bytearray(place.read_bytes())
    data[100] ^= 1
    place.write_bytes(bytes(data))


def rewrite(features: FeatureArray, *, content: int = 1) -> None:
    """Write the open shards, with other audio where another content is named."""
    audio = library(150, content=content)
    for work in plan(features, audio).shards:
        write(features, work, audio)


def test_a_sound_array_is_read_once(features: FeatureArray) -> None:
    assert problems(features, [True]) == []


def test_open_shards_of_a_run_are_no_problem(features: FeatureArray) -> None:
    refresh(features, 0, 1)()
    assert [each.what for each in verify(features)] == ["manifest missing"] * 2
    assert problems(features, [True, True, True]) == []
    # begun while it was looked, and done before it was asked again
    assert problems(features, [False, True, False]) == []


def test_without_a_run_they_are_one(features: FeatureArray) -> None:
    refresh(features, 1)()
    assert problems(features, [False, False, False]) == [(1, "manifest missing")]


def test_what_the_run_has_not_touched_is_judged(features: FeatureArray) -> None:
    flip(features, 2)
    refresh(features, 0)()
    assert problems(features, [True, True, True]) == [(2, "shard bytes")]


def test_a_manifest_that_came_meanwhile_is_read_again(features: FeatureArray) -> None:
    refresh(features, 0, 1, 2)()
    # the first reading finds three open shards, the second one none
    asked = problems(features, [False, False, False], [str, lambda: rewrite(features), str])
    assert asked == []


def test_a_shard_that_lies_there_before_its_manifest(features: FeatureArray) -> None:
    refresh(features, 1)()
    flip(features, 1)
    found = {(each.shard, each.what) for each in verify(features)}
    assert found == {(1, "manifest missing"), (1, "shard bytes")}
    assert problems(features, [True, True, True]) == []


def test_a_run_that_is_gone_before_the_second_reading_leaves_what_is_damaged(
    features: FeatureArray,
) -> None:
    (features.location / manifest_name(1)).delete()
    flip(features, 2)
    mended = problems(features, [True, True, False], [str, lambda: rewrite(features), str])
    assert mended == [(2, "shard bytes")]
