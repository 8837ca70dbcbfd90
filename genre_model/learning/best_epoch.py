"""Which epoch of a history is the best."""

from collections.abc import Mapping


def rank(line: Mapping[str, float]) -> tuple[float, ...]:
    """Return what makes a line of the history better than another: the lower is the better."""
    return -line["validation_track_accuracy"], line["validation_loss"]


def best_epoch(history: tuple[Mapping[str, float], ...]) -> int:
    """Return the epoch (from 1) of the highest validation track accuracy.

    Among equals it is the one of the lowest validation loss, and among those the first.
    """
    return min(range(1, len(history) + 1), key=lambda number: rank(history[number - 1]))
