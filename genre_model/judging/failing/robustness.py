"""What disturbances of clips cost: the accuracy with each, and how far that is from without."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Self

import numpy as np

from genre_model.judging.evaluation import WindowPredictions, group_tracks
from genre_model.judging.intervals import (
    percentile_interval,
    resampled_sums,
    wider,
    wilson_interval,
)
from genre_model.judging.metrics import Interval, Stored


@dataclass(frozen=True, kw_only=True)
class DisturbedAccuracy:
    """One disturbance.

    Parameters
    ----------
    name, title : str
        As `mp3`, and what it is in words.
    tracks : int
        That could be heard with it and without.
    track_accuracy : float [0 to 1]
    interval : Interval
        95 %, resampled as an evaluation's, and at least as wide as Wilson's.
    difference : float [-1 to 1]
        From the accuracy of the same tracks undisturbed.
    difference_interval : Interval
        95 %, of the same tracks in pairs.
    """

    name: str
    title: str
    tracks: int
    track_accuracy: float
    interval: Interval
    difference: float
    difference_interval: Interval

    def to_dict(self) -> dict[str, object]:
        """Return plain values, ready for JSON."""
        pairs = {name: list(getattr(self, name)) for name in ("interval", "difference_interval")}
        return {**asdict(self), **pairs}

    @classmethod
    def from_dict(cls, stored: Stored) -> Self:
        """Read what `to_dict` gave.

        Raises
        ------
        KeyError, TypeError, ValueError
            If something is missing or of another kind.
        """
        pairs = {name: _ends(stored[name]) for name in ("interval", "difference_interval")}
        return cls(**{**stored, **pairs})


def measure_robustness(
    heard: Mapping[str, WindowPredictions],
    titles: Mapping[str, str],
    *,
    plain: str,
    rule: str,
    artists: Callable[[np.ndarray], np.ndarray | None],
) -> tuple[DisturbedAccuracy, ...]:
    """Measure what was heard of disturbed clips.

    Parameters
    ----------
    heard : Mapping
        Name of a disturbance -> predictions of the same tracks.
    titles : Mapping
        Name -> words.
    plain : str
        The name of what the others are compared with.
    rule : str
        How windows become a track; one of `genre_model.judging.rules.RULES`.
    artists : callable
        Takes track ids and returns whose they are, as `judging.evaluation.evaluate` takes it.
    """
    before = _right(heard[plain], rule)
    found = []
    for name, predictions in heard.items():
        after = _right(predictions, rule)
        tracks = np.array(sorted(before.keys() & after.keys()), np.int64)
        if len(tracks):
            pairs = np.array([(after[each], before[each]) for each in tracks.tolist()], np.float64)
            found.append(_measured(name, titles[name], pairs, artists(tracks)))
    return tuple(found)


def _measured(
    name: str, title: str, pairs: np.ndarray, artists: np.ndarray | None
) -> DisturbedAccuracy:
    after, before = pairs.T
    how, groups = group_tracks(len(pairs), artists)
    sums = np.stack(
        [
            np.bincount(groups, weights=each, minlength=how.groups)
            for each in (after, before, np.ones(len(pairs)))
        ],
        axis=1,
    )
    many = resampled_sums(sums, how)
    accuracy, difference = float(after.mean()), float((after - before).mean())
    interval = percentile_interval(many[:, 0] / many[:, 2], accuracy)
    return DisturbedAccuracy(
        name=name,
        title=title,
        tracks=len(pairs),
        track_accuracy=accuracy,
        interval=wider(interval, wilson_interval(float(after.sum()), len(pairs))),
        difference=difference,
        difference_interval=percentile_interval((many[:, 0] - many[:, 1]) / many[:, 2], difference),
    )


def _right(predictions: WindowPredictions, rule: str) -> dict[int, bool]:
    """Return track id -> whether its most probable genre is its own."""
    tracks = predictions.tracks(rule)
    right = tracks.probabilities.argmax(axis=1) == tracks.labels
    return dict(zip(tracks.track_ids.tolist(), right.tolist(), strict=True))


def _ends(stored: Sequence[float]) -> Interval:
    low, high = stored
    return float(low), float(high)
