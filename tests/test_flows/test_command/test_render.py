"""Results as a person reads them."""

from __future__ import annotations

import inspect
import io
from collections.abc import Callable
from typing import Any, TextIO

import pytest
from hostile_values import hostile

from flows import prediction_results, results
from flows.command import render, song_lines
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


@pytest.mark.parametrize(
    ("show", "kind"),
    [
        (render.features, results.FeaturesResult),
        (render.fetched, results.FetchResult),
        (render.model, results.TrainResult),
        (render.evaluation, results.EvaluateResult),
        (render.full_run, results.RunResult),
        (song_lines.table, results.PredictResult),
        (render.serving, prediction_results.ServeResult),
        (render.exported, prediction_results.ExportResult),
        (render.backbones, results.BackbonesResult),
        (render.status, results.StatusResult),
        (render.up, results.UpResult),
        (render.down, results.DownResult),
    ],
)
def test_no_name_writes_more_than_its_place_on_a_line(
    show: Callable[[Any, TextIO], None], kind: type
) -> None:
    written = io.StringIO()
    show(hostile(kind), written)
    lines = written.getvalue().split("\n")
    assert any("forged" in line for line in lines)
    assert [line for line in lines if line.startswith("forged") or not line.isprintable()] == []


def test_every_renderer_is_tried() -> None:
    renderers = {
        name
        for name, each in vars(render).items()
        if inspect.isfunction(each) and each.__module__ == render.__name__ and name[0] != "_"
    }
    (mark,) = test_no_name_writes_more_than_its_place_on_a_line.pytestmark
    assert {show.__name__ for show, _ in mark.args[1]} == {*renderers, song_lines.table.__name__}
