"""How windows become a track, what a temperature does, and above which probability to answer."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genre_model.judging.evaluation import WindowPredictions
from genre_model.judging.fitted_judgement import (
    LEAST_TRACKS,
    choose_rule,
    choose_threshold,
    fit_judgement,
    fit_temperature,
)
from genre_model.judging.judgement import Judgement, calibrated, join_windows
from genre_model.judging.rules import RULES


@st.composite
def windows(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Draw windows of a few tracks, shuffled, and their tracks' places."""
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    counts = generator.integers(1, 14, draw(st.integers(1, 8)))
    place = generator.permutation(np.repeat(np.arange(len(counts)), counts))
    return generator.dirichlet(np.ones(4), len(place)), place


@given(windows(), st.sampled_from(RULES))
@settings(deadline=None)
def test_every_rule_is_that_of_each_track_alone(
    made: tuple[np.ndarray, np.ndarray], rule: str
) -> None:
    probabilities, place = made
    joined = join_windows(probabilities, place, rule=rule)
    assert joined.sum(axis=1) == pytest.approx(1)
    for track, line in enumerate(joined):
        mine = probabilities[place == track]
        assert line == pytest.approx(Judgement(rule=rule).of_track(mine))
        assert line == pytest.approx(by_hand(mine, rule))


def by_hand(mine: np.ndarray, rule: str) -> np.ndarray:
    if rule == "vote":
        return np.bincount(mine.argmax(axis=1), minlength=4) / len(mine)
    if rule == "logit":
        product = np.prod(mine ** (1 / len(mine)), axis=0)
        return product / product.sum()
    if rule == "trimmed" and len(mine) >= 10:
        inner = np.sort(mine, axis=0)[1:-1].mean(axis=0)
        return inner / inner.sum()
    return mine.mean(axis=0)


def tracks_of(right: int, wrong: int, *, sure: float = 0.9) -> WindowPredictions:
    """Make tracks of one window, so many of them right."""
    labels = np.array([0] * right + [1] * wrong)
    line = np.array([sure, 1 - sure])
    return WindowPredictions(np.tile(line, (len(labels), 1)), labels, np.arange(len(labels)))


def test_the_temperature_makes_the_mean_confidence_the_accuracy() -> None:
    """Of one confidence, the lowest log loss is where it is how often it is right."""
    made = tracks_of(70, 30)
    temperature = fit_temperature(made.probabilities, made.labels)
    assert temperature == pytest.approx(np.log(0.9 / 0.1) / np.log(0.7 / 0.3), rel=1e-3)
    assert calibrated(made.probabilities, temperature)[0, 0] == pytest.approx(0.7, abs=1e-3)


@given(st.integers(0, 2**32 - 1), st.floats(0.2, 5))
@settings(max_examples=25, deadline=None)
def test_a_temperature_changes_no_answer_and_is_undone_by_its_inverse(
    seed: int, temperature: float
) -> None:
    # what is powered below the least probability that is told apart cannot be undone
    made = 0.9 * np.random.default_rng(seed).dirichlet(np.full(5, 2.0), 30) + 0.02
    scaled = calibrated(made, temperature)
    assert np.array_equal(scaled.argmax(axis=1), made.argmax(axis=1))
    assert calibrated(scaled, 1 / temperature) == pytest.approx(made, abs=1e-6)


def test_the_threshold_is_the_lowest_that_keeps_the_precision() -> None:
    sure = np.array([0.95] * 20 + [0.8] * 10 + [0.6] * 10)
    right = np.array([True] * 20 + [True] * 8 + [False] * 2 + [False] * 10)
    probabilities = np.stack([sure, 1 - sure], axis=1)
    labels = np.where(right, 0, 1)
    # of 30 tracks 28 are right above 0.8, of all 40 only 28
    assert choose_threshold(probabilities, labels, precision=0.9) == pytest.approx(0.8)
    assert choose_threshold(probabilities, labels, precision=0.95) == pytest.approx(0.95)
    assert choose_threshold(probabilities, labels, precision=0.7) == 0.0
    assert choose_threshold(probabilities, 1 - labels, precision=0.9) is None
    few = slice(0, LEAST_TRACKS - 1)
    assert choose_threshold(probabilities[few], labels[few]) is None


def test_another_rule_than_the_mean_must_be_better_by_more_than_chance() -> None:
    """Two windows say a little of the right genre, and one is very sure of the wrong one."""
    track = np.array([[0.6, 0.4], [0.6, 0.4], [0.05, 0.95]])
    for count, expected in ((4, "mean"), (30, "vote")):
        made = WindowPredictions(
            np.tile(track, (count, 1)), np.zeros(3 * count, int), np.repeat(np.arange(count), 3)
        )
        assert choose_rule(made) == expected
        found = fit_judgement(made)
        assert found.rule == expected
        assert Judgement.from_params(found.to_params()) == found


def test_a_model_of_before_has_the_defaults() -> None:
    assert Judgement.from_params({"network": "default"}) == Judgement()
