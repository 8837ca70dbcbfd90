"""Pictures of an evaluation as PNG bytes, on a solid ground, without matplotlib's global state."""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from genre_model.judging.metrics import Metrics
from genre_model.judging.weak_spots import WeakSpots
from genre_model.printable import printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, MUTED, GRID = "#1b2430", "#5c6876", "#e3e7ec"
BLUE, ORANGE, TEAL = "#2f6fb2", "#d9782d", "#2a8f82"
RESOLUTION = 140
RATES_UP_TO = 16
"""Genres of which the cells of a confusion matrix have room for shares, too."""


def confusion_png(metrics: Metrics) -> bytes:
    """Draw the confusion matrix: in each cell tracks, and their share of the true genre's.

    Parameters
    ----------
    metrics : Metrics
        Of any number of genres.

    Returns
    -------
    bytes
        A PNG.
    """
    counts = metrics.confusion
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    side = max(5.2, 1.9 + 0.58 * len(counts))
    figure = figure_of(side + 0.7, side)
    axes = figure.add_subplot()
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for row, column in np.argwhere(counts > 0):
        colour = "white" if shares[row, column] > 0.55 else INK
        said = f"{counts[row, column]}"
        if len(counts) <= RATES_UP_TO:
            said += f"\n{shares[row, column]:.0%}"
        axes.text(
            column, row, said, ha="center", va="center", color=colour, fontsize=9, linespacing=1.0
        )
    names = [printable(genre) for genre in metrics.genres]
    # a dollar in a name begins no formula
    axes.set_xticks(range(len(counts)), names, rotation=40, ha="right", parse_math=False)
    axes.set_yticks(range(len(counts)), names, parse_math=False)
    axes.set_xlabel("predicted genre")
    axes.set_ylabel("true genre")
    axes.set_xticks(np.arange(len(counts) + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(len(counts) + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=1.5)
    axes.tick_params(which="both", length=0)
    axes.spines[:].set_visible(False)
    bar = figure.colorbar(image, ax=axes, fraction=0.046, pad=0.03, format="{x:.0%}")
    bar.set_label("share of the true genre's tracks", color=MUTED)
    bar.outline.set_visible(False)
    bar.ax.tick_params(length=0, colors=MUTED)
    return png_of(figure)


def curves_png(history: pd.DataFrame, *, best_epoch: int | None = None) -> bytes:
    """Draw loss and accuracy by epoch.

    Parameters
    ----------
    history : pd.DataFrame
        `epoch`, `loss`, `accuracy`, `validation_loss`, `validation_window_accuracy` and
        `validation_track_accuracy`.
    best_epoch : int, optional
        The epoch whose weights were kept; marked.

    Returns
    -------
    bytes
        A PNG.
    """
    figure = figure_of(8.6, 3.7)
    left, right = figure.subplots(1, 2)
    epochs = history["epoch"]
    marker = "o" if len(history) < 3 else None
    left.plot(epochs, history["loss"], color=BLUE, marker=marker, label="training")
    left.plot(
        epochs, history["validation_loss"], color=ORANGE, marker=marker, label="validation windows"
    )
    left.set_ylabel("cross-entropy (nats)")
    right.plot(epochs, history["accuracy"], color=BLUE, marker=marker, label="training")
    for column, colour, label in (
        ("validation_window_accuracy", ORANGE, "validation windows"),
        ("validation_track_accuracy", TEAL, "validation tracks"),
    ):
        right.plot(epochs, history[column], color=colour, marker=marker, label=label)
    right.set_ylabel("accuracy")
    right.set_ylim(0, 1.02)
    right.yaxis.set_major_formatter("{x:.0%}")
    for axes in (left, right):
        _dress_curves(axes, len(history), best_epoch)
    left.set_ylim(bottom=0)
    return png_of(figure)


def per_genre_png(metrics: Metrics) -> bytes:
    """Draw each genre's F1 as a bar, with precision and recall as marks on it.

    Parameters
    ----------
    metrics : Metrics
        Genres without tracks are drawn too, as empty bars.

    Returns
    -------
    bytes
        A PNG.
    """
    each = metrics.per_genre
    names = sorted(metrics.genres, key=lambda name: each[name].f1)
    places = np.arange(len(names))
    figure = figure_of(7.6, 1.4 + 0.42 * len(names))
    axes = figure.add_subplot()
    axes.barh(places, [each[name].f1 for name in names], color="#b7d0ea", height=0.62, label="F1")
    # Rings around diamonds: both are seen where precision and recall are the same.
    precision, recall = ([getattr(each[n], key) for n in names] for key in ("precision", "recall"))
    axes.scatter(precision, places, color=BLUE, marker="D", s=26, label="precision", zorder=3)
    axes.scatter(
        *(recall, places),
        s=95,
        facecolors="none",
        edgecolors=ORANGE,
        linewidths=1.8,
        label="recall",
        zorder=3,
    )
    axes.axvline(metrics.macro_f1, color=MUTED, linestyle="--", linewidth=1, label="macro-F1")
    labels = [f"{printable(name)} ({each[name].tracks})" for name in names]
    axes.set_yticks(places, labels, parse_math=False)
    axes.set_xlim(-0.02, 1.02)
    axes.xaxis.set_major_formatter("{x:.0%}")
    axes.set_ylabel("genre (tracks)")
    axes.grid(axis="x", color=GRID)
    axes.set_axisbelow(True)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=4, frameon=False)
    return png_of(figure)


def coverage_png(found: WeakSpots) -> bytes:
    """Draw accuracy against how many of the surest tracks are answered, and how much is heard.

    Parameters
    ----------
    found : WeakSpots
        Of a split.

    Returns
    -------
    bytes
        A PNG.
    """
    figure = figure_of(8.6, 3.4)
    left, right = figure.subplots(1, 2, sharey=True)
    for axes, shares, colour in ((left, found.coverage, BLUE), (right, found.windows_used, TEAL)):
        places = np.arange(len(shares))
        axes.fill_between(
            places,
            [each.interval[0] for each in shares],
            [each.interval[1] for each in shares],
            color=colour,
            alpha=0.15,
            linewidth=0,
        )
        axes.plot(places, [each.accuracy for each in shares], color=colour, marker="o")
        axes.set_xticks(places, [each.of.removeprefix("surest ") for each in shares], rotation=30)
        axes.grid(color=GRID)
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["left", "bottom"]].set_color(GRID)
        axes.tick_params(length=0)
    left.set_ylim(0, 1.02)
    left.yaxis.set_major_formatter("{x:.0%}")
    left.set_ylabel("track accuracy")
    left.set_xlabel("tracks that are answered, the surest first")
    right.set_xlabel("windows that are heard of each track")
    return png_of(figure)


def _dress_curves(axes: Axes, epochs: int, best_epoch: int | None) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlim(0.5, epochs + 0.5)
    axes.grid(color=GRID)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(GRID)
    axes.tick_params(length=0)
    if best_epoch is not None:
        axes.axvline(best_epoch, color=MUTED, linestyle=":", label=f"kept: epoch {best_epoch}")
    axes.legend(facecolor="white", edgecolor="none", framealpha=0.9, labelcolor=INK)


def figure_of(width: float, height: float) -> Figure:
    """Make an empty figure [inches] on a solid ground, which no other code sees."""
    import matplotlib.figure

    return matplotlib.figure.Figure(
        figsize=(width, height), dpi=RESOLUTION, facecolor="white", layout="constrained"
    )


def png_of(figure: Figure) -> bytes:
    """Write a figure as a PNG, its labels in the colours of all pictures."""
    for axes in figure.axes:
        axes.tick_params(labelcolor=INK)
        axes.xaxis.label.set_color(MUTED)
        axes.yaxis.label.set_color(MUTED)
    file = io.BytesIO()
    with warnings.catch_warnings():
        # a character that the font lacks is drawn as a box, and is no news on stderr
        warnings.filterwarnings("ignore", message="Glyph .* missing from", category=UserWarning)
        # Without the version of matplotlib the same figures give the same bytes.
        figure.savefig(file, format="png", metadata={"Software": None})
    return file.getvalue()
