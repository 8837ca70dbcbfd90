"""Where a model fails: by how the audio was made, by what it had to hear, by how sure it was."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from genre_model.judging.evaluation import WindowPredictions
from genre_model.judging.intervals import wilson_interval
from genre_model.judging.judgement import Judgement

CONDITIONS: Mapping[str, tuple[str, tuple[float, ...]]] = {
    "bit_rate": ("Bit rate of the file, kbit/s", (0, 100, 150, 220, 290)),
    "sample_rate": ("Sample rate of the file, Hz", (0, 22_050, 32_000, 44_100, 48_000)),
    "channels": ("Channels of the file", (1, 2, 3)),
    "level_db": ("Level of the audio (RMS), dBFS", (-math.inf, -30, -24, -18, -12)),
    "seconds": ("Length of the audio, s", (0, 10, 29, 31)),
    "windows": ("Whole windows heard", (0, 5, 10)),
    "artist_tracks": ("Tracks of the artist in the catalogue", (1, 2, 5, 10)),
}
"""Column -> what it is, and where its bands begin; usual bit rates lie within a band."""
COVERAGES = (0.1, 0.25, 0.5, 0.75, 0.9, 1.0)


@dataclass(frozen=True, kw_only=True)
class Share:
    """How many of some tracks were right.

    Parameters
    ----------
    of : str
        Which tracks: `128 to 192`, `5 windows`, `50 % surest`.
    tracks : int [at least 1]
    accuracy : float [0 to 1]
    interval : tuple[float, float]
        Wilson's, 95 %.
    """

    of: str
    tracks: int
    accuracy: float
    interval: tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class WeakSpots:
    """Accuracy of parts of the tracks.

    Parameters
    ----------
    conditions : Mapping[str, tuple[Share, ...]]
        What they are told apart by, and each band that has tracks.
    windows_used : tuple[Share, ...]
        Of all tracks, by their first windows alone.
    coverage : tuple[Share, ...]
        Of the tracks that the model was surest about.
    answered : Share or None
        Of the tracks above the model's threshold; None without one, or where none is.
    threshold : float or None
    """

    conditions: Mapping[str, tuple[Share, ...]]
    windows_used: tuple[Share, ...]
    coverage: tuple[Share, ...]
    answered: Share | None
    threshold: float | None


def find_weak_spots(
    predictions: WindowPredictions, about: pd.DataFrame, judgement: Judgement
) -> WeakSpots:
    """Measure parts of the tracks.

    Parameters
    ----------
    predictions : WindowPredictions
        Of a split, a track's windows in the order of time.
    about : pd.DataFrame
        `track_id`, and of `CONDITIONS` what is known, NA where not.
    judgement : Judgement
        Of the model.
    """
    tracks = predictions.tracks(judgement.rule)
    right = tracks.probabilities.argmax(axis=1) == tracks.labels
    known = about.set_index("track_id").reindex(tracks.track_ids)
    found = {
        title: _bands(known[column].to_numpy(np.float64, na_value=np.nan), starts, right)
        for column, (title, starts) in CONDITIONS.items()
        if column in known
    }
    sure = tracks.probabilities.max(axis=1)
    above = right[sure >= judgement.threshold] if judgement.threshold is not None else right[:0]
    return WeakSpots(
        conditions={title: bands for title, bands in found.items() if len(bands) > 1},
        windows_used=_by_windows(predictions, judgement.rule),
        coverage=_by_coverage(sure, right),
        answered=_share("answered", above) if len(above) else None,
        threshold=judgement.threshold,
    )


def _bands(values: np.ndarray, starts: Sequence[float], right: np.ndarray) -> tuple[Share, ...]:
    ends = (*starts[1:], np.inf)
    masks = [
        (_named(start, end), (values >= start) & (values < end))
        for start, end in zip(starts, ends, strict=True)
    ]
    masks.append(("not known", np.isnan(values)))
    return tuple(_share(name, right[mask]) for name, mask in masks if mask.any())


def _named(start: float, end: float) -> str:
    if end == math.inf:
        return f"{start:,g} and more"
    if start == -math.inf:
        return f"below {end:,g}"
    return f"{start:,g}" if end == start + 1 else f"{start:,g} to {end:,g}"


def _by_windows(predictions: WindowPredictions, rule: str) -> tuple[Share, ...]:
    """Judge all tracks by their first windows: one, two, four … and all."""
    order = np.argsort(predictions.track_ids, kind="stable")
    ids = predictions.track_ids[order]
    starts = np.searchsorted(ids, ids)
    number = np.empty(len(ids), np.int64)
    number[order] = np.arange(len(ids)) - starts
    most = int(number.max()) + 1
    found = []
    for count in sorted({*(each for each in (1, 2, 4, 8) if each < most), most}):
        used = number < count
        part = WindowPredictions(
            predictions.probabilities[used], predictions.labels[used], predictions.track_ids[used]
        ).tracks(rule)
        right = part.probabilities.argmax(axis=1) == part.labels
        found.append(_share(f"{count} window{'' if count == 1 else 's'}", right))
    return tuple(found)


def _by_coverage(sure: np.ndarray, right: np.ndarray) -> tuple[Share, ...]:
    ordered = right[np.argsort(-sure, kind="stable")]
    counts = [(share, round(share * len(ordered))) for share in COVERAGES]
    return tuple(
        _share(f"surest {share:.0%}".replace("%", " %"), ordered[:count])
        for share, count in counts
        if count
    )


def _share(of: str, right: np.ndarray) -> Share:
    hits, tracks = int(right.sum()), len(right)
    interval = wilson_interval(hits, tracks)
    return Share(of=of, tracks=tracks, accuracy=hits / tracks, interval=interval)
