"""A song as a picture: its mel spectrum, and the genres' probabilities over time beneath it."""

from __future__ import annotations

import io

import numpy as np
from matplotlib.figure import Figure

from genre_model.hearing.overview import Overview
from genre_model.hearing.prediction import Prediction, clock
from genre_model.printable import printable

COLOURS = (
    *("#4c78e8", "#f28e2b", "#2fae8f", "#e0526e", "#a77bdb", "#d3b13a"),
    *("#5cb8e4", "#c97b57", "#7fae4a", "#e58bc4", "#8a94a8", "#3f9a9a"),
)
_RESOLUTION = 120
_NAMED_ABOVE = 0.12
"""Genres that reach this anywhere are named."""


def song_png(found: Prediction, overview: Overview, genres: tuple[str, ...]) -> bytes:
    """Draw a song.

    Parameters
    ----------
    found : Prediction
        With a timeline.
    overview : Overview
        Its mel picture.
    genres : tuple[str, ...]
        All of the model, in an order that gives them their colours.

    Returns
    -------
    bytes
        A PNG.
    """
    figure = Figure(figsize=(10, 5.2), dpi=_RESOLUTION, layout="constrained", facecolor="white")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(1.4, 1))
    top = max(float(overview.decibels.max(initial=-100)), -99.0)
    extent = (0, overview.seconds, 0, len(overview.decibels))
    above.imshow(
        overview.decibels,
        **{"origin": "lower", "aspect": "auto", "cmap": "inferno", "extent": extent},
        vmin=top - 90,
        vmax=top,
    )
    above.set_yticks([])
    above.set_ylabel(f"mel bands, {overview.lowest:,.0f} to {overview.highest:,.0f} Hz")
    share = "" if found.probability is None else f" {found.probability:.0%}"
    sure = "not sure: " if found.sure is False else ""
    title = f"{printable(found.path)}\n{sure}{printable(found.genre)}{share}"
    above.set_title(title, fontsize=10, loc="left", parse_math=False)
    edges = [each["start"] for each in found.timeline] + [found.timeline[-1]["end"]]
    shares = np.array([[each["probabilities"][name] for name in genres] for each in found.timeline])
    steps = np.concatenate([shares, shares[-1:]]).T
    colours = [COLOURS[place % len(COLOURS)] for place in range(len(genres))]
    areas = below.stackplot(edges, steps, colors=colours, step="post")
    below.set_xlim(0, max(overview.seconds, edges[-1]))
    below.set_ylim(0, 1)
    below.set_ylabel("probability")
    below.xaxis.set_major_formatter(lambda seconds, _place: clock(seconds))
    named = [place for place in range(len(genres)) if shares[:, place].max() > _NAMED_ABOVE]
    legend = below.legend(
        [areas[place] for place in named],
        [printable(genres[place]) for place in named],
        **{"loc": "upper left", "bbox_to_anchor": (1.0, 1.0), "frameon": False, "fontsize": 9},
    )
    for text in legend.get_texts():
        text.set_parse_math(False)
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return file.getvalue()
