"""A picture of a catalogue: tracks and hours by genre, and how long the tracks are."""

from __future__ import annotations

import numpy as np

from genre_model.judging.data_page import DataPage
from genre_model.judging.plots import BLUE, GRID, ORANGE, TEAL, figure_of, png_of
from genre_model.printable import printable
from genre_model.specs import SPLITS

MOST_GENRES = 40
"""Bars that a picture has room for; those of the most tracks."""


def data_png(page: DataPage) -> bytes:
    """Draw tracks by genre and split, hours by genre, and a histogram of lengths.

    Parameters
    ----------
    page : DataPage

    Returns
    -------
    bytes
        A PNG.
    """
    sizes = {genre: sum(counts.values()) for genre, counts in page.genres.items()}
    genres = sorted(sizes, key=lambda genre: (sizes[genre], genre))[-MOST_GENRES:]
    figure = figure_of(10.5, 1.6 + 0.24 * max(len(genres), 6))
    tracks, hours, lengths = figure.subplots(1, 3, width_ratios=[3, 2, 2])
    places, left = np.arange(len(genres)), np.zeros(len(genres))
    for split, colour in zip(SPLITS, (BLUE, ORANGE, TEAL), strict=True):
        counts = np.array([page.genres[genre].get(split, 0) for genre in genres])
        tracks.barh(places, counts, left=left, color=colour, label=split)
        left += counts
    tracks.set_yticks(places, [printable(genre)[:30] for genre in genres], parse_math=False)
    tracks.set_xlabel("tracks")
    # above the bars, of which the longest reaches the edge
    tracks.legend(frameon=False, fontsize=8, ncols=3, loc="lower left", bbox_to_anchor=(0, 1))
    hours.barh(places, [page.hours_of.get(genre, 0.0) for genre in genres], color=BLUE)
    hours.set_yticks([])
    hours.set_xlabel("hours of audio")
    starts = [start for start, _ in page.length_bins]
    width = starts[1] - starts[0] if len(starts) > 1 else 1.0
    counts_of = [count for _, count in page.length_bins]
    lengths.bar(starts, counts_of, width=width, align="edge", color=TEAL)
    lengths.set_xlabel("seconds a track")
    lengths.set_ylabel("tracks")
    for axes in (tracks, hours, lengths):
        axes.grid(color=GRID, axis="x" if axes is not lengths else "y")
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["left", "bottom"]].set_color(GRID)
        axes.tick_params(length=0)
    return png_of(figure)
