"""From a genre a window to the passages of a piece.

windows    E E E H E E E E H H H E H H H H
passages  |------- E -------|------ H ------|

The path of genres through the windows that is most probable where each change costs `CHANGE_COST`
(Viterbi's algorithm, with one probability of staying for all genres): a single window that differs
changes nothing, and where a change falls does not hang on a fixed grid or a length.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from genre_model.hearing.prediction import Passage

CHANGE_COST = 5.0
"""What a change costs, in nats: two windows of 0.9 to 0.05, or half a minute of 0.4 to 0.25."""
_LEAST = 1e-6


def passages(
    starts: Sequence[float],
    probabilities: np.ndarray,
    genres: Sequence[str],
    *,
    length: float,
    change_cost: float = CHANGE_COST,
) -> list[Passage]:
    """Join windows to passages.

    Parameters
    ----------
    starts : sequence of float [s, rising]
        Of the windows.
    probabilities : np.ndarray [shape=(windows, genres), each row sums to 1]
        At least one window.
    genres : sequence of str
    length : float [s]
        Of a window.
    change_cost : float [nats, at least 0]
        With 0 each window speaks for itself.

    Returns
    -------
    list of Passage
        From the first window's start to the last one's end without a gap, neighbours of different
        genres. A probability is the mean of the passage's windows.
    """
    path = _path(np.log(np.maximum(probabilities, _LEAST, dtype=np.float64)), change_cost)
    first = np.flatnonzero(np.r_[True, path[1:] != path[:-1]]).tolist()
    ends = [*first[1:], len(path)]
    return [
        {
            "start": float(starts[begin]),
            "end": float(starts[end]) if end < len(path) else float(starts[-1] + length),
            "genre": genres[path[begin]],
            "probability": float(probabilities[begin:end, path[begin]].mean(dtype=np.float64)),
        }
        for begin, end in zip(first, ends, strict=True)
    ]


def _path(scores: np.ndarray, change_cost: float) -> np.ndarray:
    """Return the best path [windows] through scores [windows, genres]; of equals, no change."""
    stays = np.arange(scores.shape[1])
    best = scores[0].copy()
    came_from = np.empty(scores.shape, np.intp)
    for place, score in enumerate(scores[1:], start=1):
        leader = int(best.argmax())
        changes = best[leader] - change_cost > best
        came_from[place] = np.where(changes, leader, stays)
        best = score + np.where(changes, best[leader] - change_cost, best)
    path = np.empty(len(scores), np.intp)
    path[-1] = best.argmax()
    for place in range(len(scores) - 1, 0, -1):
        path[place - 1] = came_from[place, path[place]]
    return path
