"""What disturbances cost is counted over the same tracks, and its interval is over artists."""

from __future__ import annotations

import json

import numpy as np
import pytest

from genre_model.judging.evaluation import WindowPredictions
from genre_model.judging.failing.robustness import DisturbedAccuracy, measure_robustness
from genre_model.judging.intervals import wilson_interval

TITLES = {"none": "as they are", "noise": "white noise"}


def heard(right: dict[int, bool]) -> WindowPredictions:
    """Make two windows a track, of which the surer one decides."""
    tracks = np.repeat(list(right), 2)
    sure = np.tile([0.9, 0.4], len(right))
    says_true = np.where(np.repeat([*right.values()], 2), sure, 1 - sure)
    probabilities = np.stack([says_true, 1 - says_true], axis=1).astype(np.float32)
    return WindowPredictions(probabilities, np.zeros(len(tracks), np.int64), tracks)


def measured(
    before: dict[int, bool], after: dict[int, bool], artists: dict[int, int] | None = None
) -> DisturbedAccuracy:
    _, found = measure_robustness(
        {"none": heard(before), "noise": heard(after)},
        TITLES,
        plain="none",
        rule="mean",
        artists=lambda ids: np.array([(artists or {}).get(each, -1 - each) for each in ids]),
    )
    return found


def test_the_difference_is_over_the_tracks_of_both() -> None:
    before = {track: track < 30 for track in range(40)}
    after = {track: 10 <= track < 30 for track in range(36)}
    found = measured(before, after)
    assert (found.name, found.title, found.tracks) == ("noise", "white noise", 36)
    assert found.track_accuracy == pytest.approx(20 / 36)
    assert found.difference == pytest.approx((20 - 30) / 36)
    low, high = found.difference_interval
    assert -0.45 < low < found.difference < high < -0.12
    wilson = wilson_interval(20, 36)
    assert found.interval[0] <= wilson[0] < wilson[1] <= found.interval[1]


def test_nothing_changed_is_no_difference_and_no_doubt_about_it() -> None:
    same = {track: track % 3 > 0 for track in range(30)}
    found = measured(same, same)
    assert (found.difference, found.difference_interval) == (0.0, (0.0, 0.0))


def test_tracks_of_one_artist_are_no_trials_of_their_own() -> None:
    before = dict.fromkeys(range(40), True)
    after = {track: track < 20 for track in range(40)}
    alone = measured(before, after)
    of_four = measured(before, after, artists={track: track // 10 for track in range(40)})
    assert of_four.track_accuracy == alone.track_accuracy == 0.5
    width = [high - low for low, high in (alone.interval, of_four.interval)]
    assert width[1] > 1.5 * width[0]


def test_the_plain_clips_are_a_line_too_and_json_gives_all_back() -> None:
    tracks = {track: track < 5 for track in range(8)}
    both = measure_robustness(
        {"none": heard(tracks), "noise": heard(tracks)},
        TITLES,
        plain="none",
        rule="mean",
        artists=lambda ids: ids,
    )
    assert [each.name for each in both] == ["none", "noise"]
    assert both[0].track_accuracy == 5 / 8
    stored = json.loads(json.dumps([each.to_dict() for each in both]))
    assert tuple(map(DisturbedAccuracy.from_dict, stored)) == both
