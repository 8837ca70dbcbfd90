"""Groups of tracks put into splits: whole groups, every genre as near to its shares as they allow.

Pure arithmetic on counts [group, genre]. In the order of their places groups are taken into test
and validation as long as that brings their genres nearer to a tenth each; all else is trained on.
A genre that none of the taken groups has gets its smallest one that can be spared.

Groups that were trained on before are never taken. What was not taken is not looked at in a second
draw that keeps it so: drawing again changes nothing.
"""

from __future__ import annotations

import numpy as np

SHARE = 0.1
"""Of a genre's tracks for validation, and for the test."""

TRAINING, VALIDATION, TEST = 0, 1, 2
"""The place of each in `genre_model.specs.SPLITS`."""

_HELD_OUT = (TEST, VALIDATION)
_FITTING, _OVERSHOOTING = 1.1, 2.0
"""How many times what is needed a group may bring; at twice, it is no nearer than without."""
_MOST_HELD_OUT = 2 / 3


def balance(counts: np.ndarray, places: np.ndarray, *, kept: np.ndarray) -> np.ndarray:
    """Choose a split for each group.

    Parameters
    ----------
    counts : np.ndarray [shape=(groups, genres), int64]
        Tracks; every group and genre has some.
    places : np.ndarray [shape=(groups,), float64]
        The order in which groups are looked at.
    kept : np.ndarray [shape=(groups,), bool]
        Those that stay in training.

    Returns
    -------
    np.ndarray [shape=(groups,), int64]
        `TRAINING`, `VALIDATION` or `TEST`.
    """
    splits = np.full(len(counts), TRAINING, dtype=np.int64)
    totals = counts.sum(axis=0)
    held = np.zeros((3, counts.shape[1]), dtype=np.int64)
    order = np.argsort(places, kind="stable")
    for most in (_FITTING, _OVERSHOOTING):
        for group in order[~kept[order]].tolist():
            if splits[group] == TRAINING:
                split = _nearer(counts[group], held, SHARE * totals, most=most)
                if split != TRAINING and _can_be_spared(counts[group], held, totals):
                    splits[group] = split
                    held[split] += counts[group]
    _fill(splits, held, counts, places, kept=kept)
    return splits


def _nearer(group: np.ndarray, held: np.ndarray, wanted: np.ndarray, *, most: float) -> int:
    """Say in which split a group brings its genres nearer to what is wanted; else in training."""
    gains = [
        float((group * (most * (wanted - held[split]) - group) / wanted).sum())
        for split in _HELD_OUT
    ]
    best = int(np.argmax(gains))
    return _HELD_OUT[best] if gains[best] > 0 else TRAINING


def _can_be_spared(group: np.ndarray, held: np.ndarray, totals: np.ndarray) -> bool:
    """Whether enough of each of its genres is left to be trained on."""
    after = (held.sum(axis=0) + group)[group > 0]
    return bool((after <= _MOST_HELD_OUT * totals[group > 0]).all())


def _fill(
    splits: np.ndarray,
    held: np.ndarray,
    counts: np.ndarray,
    places: np.ndarray,
    *,
    kept: np.ndarray,
) -> None:
    """Give each split a group of each genre that it has none of, the least that can be spared."""
    totals = counts.sum(axis=0)
    rarest_first = np.argsort((counts > 0).sum(axis=0), kind="stable").tolist()
    for split in _HELD_OUT:
        for genre in rarest_first:
            if held[split, genre]:
                continue
            free = np.flatnonzero((counts[:, genre] > 0) & (splits == TRAINING) & ~kept)
            spared = [each for each in free if _can_be_spared(counts[each], held, totals)]
            if spared:
                least = min(spared, key=lambda each: (_burden(counts[each], totals), places[each]))
                splits[least] = split
                held[split] += counts[least]


def _burden(group: np.ndarray, totals: np.ndarray) -> float:
    """Return the largest share of a genre that a group is."""
    return float((group / totals).max())
