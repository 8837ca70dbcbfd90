"""The tracks that a model was surest about, and wrong: which they are, and what it heard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from genre_model.judging.plots import GRID, INK, MUTED, figure_of, png_of
from genre_model.printable import printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DRAWN = 5
"""Of how many the windows are drawn."""
_NAMED_ABOVE = 0.12
"""Genres that reach this anywhere are named."""


@dataclass(frozen=True, kw_only=True)
class HeardMistake:
    """A track that was taken for another genre.

    Parameters
    ----------
    title : str
        What it is, in a line.
    windows : np.ndarray [shape=(whole windows, values) or (whole windows, bands, frames)]
        Its row, without what is not whole.
    probabilities : np.ndarray [shape=(whole windows, genres), each row sums to 1]
        What the model said of each window.
    step, length : float [s]
        From one window's start to the next, and how far one reaches.
    """

    title: str
    windows: np.ndarray
    probabilities: np.ndarray
    step: float
    length: float

    @property
    def seconds(self) -> float:
        """How far all windows reach."""
        return (len(self.windows) - 1) * self.step + self.length


def surest_mistakes(table: pd.DataFrame, count: int) -> pd.DataFrame:
    """Return the wrong tracks of a `track_table` that the model was surest about, surest first."""
    wrong = table[table["genre"] != table["predicted"]]
    return wrong.sort_values(["probability", "track_id"], ascending=[False, True]).head(count)


def mistakes_png(mistakes: Sequence[HeardMistake], genres: Sequence[str]) -> bytes:
    """Draw each track's windows, and beneath them the genres' probabilities over time.

    Parameters
    ----------
    mistakes : sequence of HeardMistake
        At least one.
    genres : sequence of str
        In the order of the probabilities.

    Returns
    -------
    bytes
        A PNG.
    """
    figure = figure_of(8.6, 2.5 * len(mistakes))
    places = figure.subplots(2 * len(mistakes), 1, height_ratios=[1.3, 1.0] * len(mistakes))
    for number, each in enumerate(mistakes):
        above, below = places[2 * number : 2 * number + 2]
        _draw_windows(above, each)
        _draw_timeline(below, each, genres)
    return png_of(figure)


def _draw_windows(axes: Axes, each: HeardMistake) -> None:
    windows = each.windows.astype(np.float32)
    strips = windows.reshape(len(windows), windows.shape[1], -1)
    picture = np.concatenate(list(strips), axis=1)
    low, high = np.percentile(picture, [2, 99.5])
    axes.imshow(
        picture,
        origin="lower",
        aspect="auto",
        cmap="inferno",
        extent=(0, each.seconds, 0, len(picture)),
        vmin=low,
        vmax=max(high, low + 1e-6),
        interpolation="nearest",
    )
    axes.set_xticks(np.arange(1, len(windows)) * each.step, [])
    axes.set_yticks([])
    axes.set_ylabel("bands" if each.windows.ndim > 2 else "values")
    axes.set_title(printable(each.title), fontsize=9, loc="left", color=INK, parse_math=False)


def _draw_timeline(axes: Axes, each: HeardMistake, genres: Sequence[str]) -> None:
    from matplotlib import colormaps

    shares = np.asarray(each.probabilities, np.float64)
    edges = np.append(np.arange(len(shares)) * each.step, each.seconds)
    steps = np.concatenate([shares, shares[-1:]]).T
    colours = [colormaps["tab20"](place % 20) for place in range(len(genres))]
    areas = axes.stackplot(edges, steps, colors=colours, step="post")
    axes.set_xlim(0, edges[-1])
    axes.set_ylim(0, 1)
    axes.set_ylabel("says")
    axes.xaxis.set_major_formatter("{x:g} s")
    axes.tick_params(length=0, labelsize=8)
    axes.spines[:].set_color(GRID)
    named = [place for place in range(len(genres)) if shares[:, place].max() > _NAMED_ABOVE]
    legend = axes.legend(
        [areas[place] for place in named],
        [printable(genres[place]) for place in named],
        loc="upper left",
        bbox_to_anchor=(1.0, 1.05),
        frameon=False,
        fontsize=8,
        labelcolor=MUTED,
    )
    for text in legend.get_texts():
        text.set_parse_math(False)
