"""The report of an evaluation: one page that needs nothing else, and Markdown for dashboards."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from genre_model.judging.data_page import DataPage
from genre_model.judging.data_plots import data_png
from genre_model.judging.failing.mistakes import HeardMistake, mistakes_png, surest_mistakes
from genre_model.judging.failing.robustness import DisturbedAccuracy
from genre_model.judging.figures import figure_lines
from genre_model.judging.leaks import Leaks
from genre_model.judging.metrics import Metrics
from genre_model.judging.paired.comparison import Comparison
from genre_model.judging.plots import confusion_png, coverage_png, curves_png, per_genre_png
from genre_model.judging.templating import environment
from genre_model.judging.weak_spots import WeakSpots

SHOWN_TRACKS = 15
SHOWN_CONFUSIONS = 10


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a report tells; `html`, `markdown` and `pictures` render it.

    Parameters
    ----------
    metrics : Metrics
        Of the split.
    history : pd.DataFrame
        Of the training, as `genre_model.learning.training` returns it.
    model : str
        The model's id.
    split : str
        Which split was predicted.
    best_epoch : int, optional
        Marked in the curves.
    facts : Mapping[str, object]
        About the model, in the order to be shown: network, parameters, epochs, seconds …
    specs : Mapping[str, Mapping[str, object]]
        Title of a specification -> its fields.
    tracks_per_split : Mapping[str, int]
        Tracks with usable audio.
    quarantined : Mapping[str, int]
        Status -> tracks that have no usable audio.
    predictions : pd.DataFrame, optional
        As `judging.evaluation.track_table` returns it; columns `title` and `artist` are shown
        if there are any, and `path` in place of the number, which for many data sets is a hash.
    licences : Mapping[str, int]
        Licence -> tracks.
    remarks : Sequence[str]
        Sentences on the tracks that a reader of the figures must know.
    standing : str
        One sentence: whether this model is the champion, and if not, which one is.
    comparisons : Sequence[Comparison]
        With the champion and with the model that was evaluated before, where there is one.
    leaks : Leaks, optional
        What the split shares with the training tracks.
    weak_spots : WeakSpots, optional
        Where the model fails.
    data : DataPage, optional
        What the catalogue holds.
    heard_mistakes : Sequence[HeardMistake]
        The first of the surest mistakes, with what was heard of them.
    robustness : Sequence[DisturbedAccuracy]
        What disturbances of the clips cost, where that was measured.
    head : Mapping[str, str]
        What stands in the report's head: data set, catalogue, date, version, recipe.
    """

    metrics: Metrics
    history: pd.DataFrame
    model: str
    split: str = "test"
    best_epoch: int | None = None
    facts: Mapping[str, object] = field(default_factory=dict)
    specs: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    tracks_per_split: Mapping[str, int] = field(default_factory=dict)
    quarantined: Mapping[str, int] = field(default_factory=dict)
    predictions: pd.DataFrame | None = None
    licences: Mapping[str, int] = field(default_factory=dict)
    remarks: Sequence[str] = ()
    standing: str = ""
    comparisons: Sequence[Comparison] = ()
    leaks: Leaks | None = None
    weak_spots: WeakSpots | None = None
    data: DataPage | None = None
    heard_mistakes: Sequence[HeardMistake] = ()
    robustness: Sequence[DisturbedAccuracy] = ()
    head: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def pictures(self) -> dict[str, bytes]:
        """Return the plots: file name -> PNG bytes; drawn once."""
        drawn = {
            "confusion_matrix.png": confusion_png(self.metrics),
            "curves.png": curves_png(self.history, best_epoch=self.best_epoch),
            "per_genre.png": per_genre_png(self.metrics),
        }
        if self.weak_spots is not None:
            drawn["coverage.png"] = coverage_png(self.weak_spots)
        if self.data is not None:
            drawn["data.png"] = data_png(self.data)
        if self.heard_mistakes:
            drawn["mistakes.png"] = mistakes_png(self.heard_mistakes, self.metrics.genres)
        return drawn

    def html(self) -> str:
        """Return the whole page: styles and pictures inside, no script, no other address."""
        return self._render("report.html.j2")

    def markdown(self) -> str:
        """Return the same in short as Markdown, with the pictures inside as `data:` addresses."""
        return self._render("report.md.j2")

    def _render(self, template: str) -> str:
        return (
            environment()
            .get_template(template)
            .render(
                report=self,
                metrics=self.metrics,
                headlines=self._headlines(),
                figures=figure_lines(self.metrics),
                basis=self.metrics.resampling.basis,
                pictures={name: data_uri(png) for name, png in self.pictures.items()},
                confusions=most_confused(self.metrics),
                mistakes=self._mistakes(),
            )
        )

    def _headlines(self) -> list[tuple[str, str, str]]:
        """Return (name, figure, what it means) of what is shown first."""
        metrics = self.metrics
        low, high = metrics.track_accuracy_interval
        return [
            (
                "Track accuracy",
                f"{metrics.track_accuracy:.1%}",
                f"95 % interval {low:.0%} to {high:.0%}",
            ),
            ("Window accuracy", f"{metrics.window_accuracy:.1%}", f"{metrics.windows:,} windows"),
            ("Macro-F1", f"{metrics.macro_f1:.3f}", "mean over the genres, by tracks"),
            ("Dummy", f"{metrics.dummy_accuracy:.1%}", f"always says {metrics.dummy_genre}"),
        ]

    def _mistakes(self) -> list[dict[str, Any]]:
        """Return the wrong tracks that the model was surest about."""
        if self.predictions is None:
            return []
        surest = surest_mistakes(self.predictions, SHOWN_TRACKS).astype(object)
        return surest.where(surest.notna(), "–").to_dict("records")  # type: ignore[return-value]


def most_confused(metrics: Metrics) -> list[tuple[str, str, int, float]]:
    """List the pairs of genres that are taken for each other most often.

    Parameters
    ----------
    metrics : Metrics

    Returns
    -------
    list of (true genre, predicted genre, tracks, share of the true genre's tracks)
        Most tracks first, `SHOWN_CONFUSIONS` at most.
    """
    wrong = metrics.confusion * (1 - np.eye(len(metrics.genres), dtype=np.int64))
    sums = metrics.confusion.sum(axis=1)
    pairs = [
        (metrics.genres[row], metrics.genres[column], int(wrong[row, column]))
        for row, column in np.argwhere(wrong > 0)
    ]
    pairs.sort(key=lambda pair: (-pair[2], pair[0], pair[1]))
    return [
        (true, predicted, tracks, tracks / int(sums[metrics.genres.index(true)]))
        for true, predicted, tracks in pairs[:SHOWN_CONFUSIONS]
    ]


def data_uri(png: bytes) -> str:
    """Return a PNG as an address that holds it."""
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")
