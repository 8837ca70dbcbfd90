"""Parts of the tracks are those that they are called, and their accuracy is theirs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from genre_model.judging.evaluation import WindowPredictions
from genre_model.judging.judgement import Judgement
from genre_model.judging.plots import coverage_png
from genre_model.judging.weak_spots import Share, WeakSpots, find_weak_spots

WINDOWS = 5


@pytest.fixture(scope="module")
def made() -> WindowPredictions:
    """Make 40 tracks, shuffled by window: half are right, from the third window on all are.

    A track's first two windows are surer than the others, so that they decide while few are heard.
    """
    tracks = np.repeat(np.arange(40), WINDOWS)
    number = np.tile(np.arange(WINDOWS), 40)
    says_true = (tracks % 2 == 0) | (number >= 2)
    sure = np.where(number < 2, 0.6, 0.95) - tracks / 1000
    true = np.where(says_true, sure, 1 - sure)
    probabilities = np.stack([true, 1 - true], axis=1)
    return WindowPredictions(probabilities, np.zeros(len(tracks), int), tracks)


@pytest.fixture(scope="module")
def found(made: WindowPredictions) -> WeakSpots:
    about = pd.DataFrame(
        {
            "track_id": np.arange(40),
            "bit_rate": np.where(
                np.arange(40) < 10, 128.0, np.where(np.arange(40) < 30, 320, np.nan)
            ),
            "seconds": 30.0,
            "channels": np.where(np.arange(40) < 10, 1.0, 2.0),
            "level_db": np.where(np.arange(40) < 10, -300.0, np.where(np.arange(40) < 30, -24, -5)),
            "sample_rate": np.where(np.arange(40) < 10, 44_100.0, 48_000.0),
        }
    )
    first = made.probabilities.copy()
    first[np.isin(made.track_ids, np.arange(10))] = [0.1, 0.9]
    wrong = WindowPredictions(first, made.labels, made.track_ids)
    return find_weak_spots(wrong, about, Judgement(threshold=0.85))


def test_bands_hold_the_tracks_that_they_say(found: WeakSpots) -> None:
    told = {
        title: [(each.of, each.tracks, each.accuracy) for each in bands]
        for title, bands in found.conditions.items()
    }
    wrong, right = (10, 0.0), (30, 1.0)
    assert told == {
        "Bit rate of the file, kbit/s": [
            ("100 to 150", *wrong),
            ("290 and more", 20, 1.0),
            ("not known", 10, 1.0),
        ],
        "Sample rate of the file, Hz": [("44,100 to 48,000", *wrong), ("48,000 and more", *right)],
        "Channels of the file": [("1", *wrong), ("2", *right)],
        "Level of the audio (RMS), dBFS": [
            ("below -30", *wrong),
            ("-24 to -18", 20, 1.0),
            ("-12 and more", 10, 1.0),
        ],
    }


def test_more_windows_are_the_first_ones_of_every_track(made: WindowPredictions) -> None:
    order = np.random.default_rng(1).permutation(40)
    by_track = np.concatenate([np.arange(WINDOWS) + WINDOWS * track for track in order])
    moved = WindowPredictions(
        made.probabilities[by_track], made.labels[by_track], made.track_ids[by_track]
    )
    about = pd.DataFrame({"track_id": np.arange(40)})
    for each in (made, moved):
        shares = find_weak_spots(each, about, Judgement()).windows_used
        told = [(share.of, share.tracks, share.accuracy) for share in shares]
        assert told[:2] == [("1 window", 40, 0.5), ("2 windows", 40, 0.5)]
        assert told[-1] == ("5 windows", 40, 1.0)


def test_the_surest_tracks_are_answered_first(found: WeakSpots) -> None:
    # the ten wrong ones are the surest: 0.9 each
    told = {each.of: (each.tracks, each.accuracy) for each in found.coverage}
    assert told["surest 25 %"] == (10, 0.0)
    assert told["surest 50 %"] == (20, 0.5)
    assert told["surest 100 %"] == (40, 0.75)
    assert found.answered is not None
    assert (found.answered.tracks, found.answered.accuracy) == (10, 0.0)


def test_a_picture_of_it_is_a_png(found: WeakSpots) -> None:
    assert coverage_png(found).startswith(b"\x89PNG")
    one = Share(of="1 window", tracks=1, accuracy=1.0, interval=(0.2, 1.0))
    few = WeakSpots(
        conditions={}, windows_used=(one,), coverage=(one,), answered=None, threshold=None
    )
    assert coverage_png(few).startswith(b"\x89PNG")
