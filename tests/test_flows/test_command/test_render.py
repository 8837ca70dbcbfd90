"""Results as a person reads them."""

from __future__ import annotations

from flows.command import render
from flows.errors import joined
from storage.summary import FeaturesSummary


def test_sentences_are_joined_to_one() -> None:
    assert joined(["a is missing.", "b is short", "c is empty. "]) == (
        "a is missing; b is short; c is empty"
    )
    assert joined([]) == ""


def test_an_array_that_was_only_begun_is_a_whole_line() -> None:
    begun = FeaturesSummary(
        key="fma/default-01234567",
        data_set="fma",
        preset="default",
        shards=3,
        open_shards=3,
        tracks={},
        windows=0,
        bytes=0,
        is_finalised=False,
    )
    assert render._of_features(begun) == "3 shards, 3 of them not done, 0.0 MiB; no tracks yet"
