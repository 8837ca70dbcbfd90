"""Figures of an evaluation, against scikit-learn's and against counting by hand."""

import json
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genre_model.errors import ModelError
from genre_model.judging.evaluation import (
    WindowPredictions,
    confusion_matrix,
    evaluate,
    track_table,
)
from genre_model.judging.judgement import Judgement
from genre_model.judging.metrics import Metrics

GENRES = ("Blues", "Folk", "Jazz")


@st.composite
def predicted(draw: st.DrawFn) -> WindowPredictions:
    """Draw windows of a few tracks, shuffled."""
    seed = draw(st.integers(0, 2**32 - 1))
    tracks = draw(st.integers(1, 12))
    generator = np.random.default_rng(seed)
    windows = generator.integers(1, 5, tracks)
    labels = generator.integers(0, 3, tracks)
    order = generator.permutation(windows.sum())
    probabilities = generator.dirichlet(np.ones(3), windows.sum()).astype(np.float32)
    ids = generator.permutation(1000)[:tracks]
    return WindowPredictions(
        probabilities, np.repeat(labels, windows)[order], np.repeat(ids, windows)[order]
    )


@given(predicted())
@settings(max_examples=60, deadline=None)
def test_a_track_is_the_mean_of_its_windows(predictions: WindowPredictions) -> None:
    tracks = predictions.tracks()
    assert tracks.track_ids.tolist() == sorted(set(predictions.track_ids.tolist()))
    for place, track_id in enumerate(tracks.track_ids):
        mine = predictions.track_ids == track_id
        expected = predictions.probabilities[mine].astype(np.float64).mean(axis=0)
        np.testing.assert_allclose(tracks.probabilities[place], expected, atol=1e-7)
        assert set(predictions.labels[mine]) == {tracks.labels[place]}
    np.testing.assert_allclose(tracks.probabilities.sum(axis=1), 1, atol=1e-5)


@given(predicted())
@settings(max_examples=40, deadline=None)
def test_the_figures_are_scikit_learns(predictions: WindowPredictions) -> None:
    from sklearn import metrics as reference

    ours = evaluate(predictions, genres=GENRES, training_labels=np.array([0, 1, 1]))
    tracks = predictions.tracks()
    guess = tracks.probabilities.argmax(axis=1)
    assert ours.track_accuracy == pytest.approx(reference.accuracy_score(tracks.labels, guess))
    assert ours.macro_f1 == pytest.approx(reference.f1_score(tracks.labels, guess, average="macro"))
    expected = reference.confusion_matrix(tracks.labels, guess, labels=[0, 1, 2])
    np.testing.assert_array_equal(ours.confusion, expected)
    precision, recall, f1, support = reference.precision_recall_fscore_support(
        tracks.labels, guess, labels=[0, 1, 2], zero_division=0
    )
    for label, name in enumerate(GENRES):
        each = ours.per_genre[name]
        assert (each.precision, each.recall, each.f1) == pytest.approx(
            (precision[label], recall[label], f1[label])
        )
        assert each.tracks == support[label]
    right = [recall[label] for label in range(3) if support[label]]
    assert ours.balanced_accuracy == pytest.approx(float(np.mean(right)))
    # of equally probable genres the one that comes first counts, for scikit-learn the last
    assert ours.top2_accuracy == pytest.approx(
        reference.top_k_accuracy_score(tracks.labels, tracks.probabilities, k=2, labels=[0, 1, 2])
    )
    assert ours.dummy_accuracy == pytest.approx(float(np.mean(tracks.labels == 1)))
    shares = tracks.probabilities / tracks.probabilities.sum(axis=1, keepdims=True)
    assert ours.log_loss == pytest.approx(
        reference.log_loss(tracks.labels, shares, labels=[0, 1, 2]), rel=1e-4
    )


def test_windows_and_tracks_are_judged_apart() -> None:
    # Two of three windows are wrong, but the right one is so sure that the track is right.
    probabilities = np.array([[0.45, 0.55, 0], [0.45, 0.55, 0], [0.9, 0.1, 0], [0, 0, 1]])
    predictions = WindowPredictions(probabilities, np.array([0, 0, 0, 1]), np.array([7, 7, 7, 8]))
    metrics = evaluate(predictions, genres=GENRES, training_labels=np.array([0]))
    assert metrics.window_accuracy == 0.25
    assert metrics.track_accuracy == 0.5
    assert (metrics.tracks, metrics.windows) == (2, 4)
    assert metrics.dummy_genre == "Blues"
    assert metrics.dummy_accuracy == 0.5
    assert metrics.per_genre["Folk"].recall == 0
    assert metrics.per_genre["Jazz"].precision == 0
    table = track_table(predictions, genres=GENRES)
    assert table["predicted"].tolist() == ["Blues", "Jazz"]
    assert table["genre"].tolist() == ["Blues", "Folk"]
    assert table["agreeing_windows"].tolist() == [1, 1]
    assert table["windows"].tolist() == [3, 1]
    assert table["probability"].tolist() == pytest.approx([0.6, 1.0])
    assert table["true_probability"].tolist() == pytest.approx([0.6, 0.0])
    assert table[["p_Blues", "p_Folk", "p_Jazz"]].sum(axis=1).tolist() == pytest.approx([1, 1])


def test_the_mapping_is_json_with_the_contracts_keys() -> None:
    predictions = WindowPredictions(np.eye(3), np.array([0, 1, 1]), np.array([1, 2, 3]))
    metrics = evaluate(predictions, genres=GENRES, training_labels=np.array([2, 2, 1]))
    plain = json.loads(json.dumps(metrics.to_dict(), allow_nan=False))
    folk = dict(plain["per_genre"]["Folk"])
    assert set(folk.pop("intervals")) == {"precision", "recall", "f1"}
    assert folk == {
        "precision": 1.0,
        "recall": 0.5,
        "f1": pytest.approx(2 / 3),
        "tracks": 2,
        "predicted": 1,
    }
    assert plain["track_accuracy"] == pytest.approx(2 / 3)
    figures = {
        *("window_accuracy", "track_accuracy", "balanced_accuracy", "macro_f1", "top2_accuracy"),
        *("log_loss", "calibration_error", "dummy_accuracy"),
    }
    assert {"tracks", "windows", "track_accuracy_interval", *figures} <= set(plain)
    assert figures <= set(plain["intervals"])
    for name, (low, high) in plain["intervals"].items():
        assert low <= plain[name] <= high, name
    assert Metrics.from_dict(plain).to_dict() == metrics.to_dict()
    assert plain["confusion"] == [[1, 0, 0], [0, 1, 1], [0, 0, 0]]


def test_genres_that_neither_occur_nor_are_predicted_do_not_lower_the_f1() -> None:
    predictions = WindowPredictions(np.eye(3)[:2], np.array([0, 1]), np.array([1, 2]))
    metrics = evaluate(predictions, genres=GENRES, training_labels=np.array([0]))
    assert metrics.macro_f1 == 1.0
    assert metrics.per_genre["Jazz"].tracks == 0


def test_what_cannot_be_judged_is_refused() -> None:
    nothing = WindowPredictions(np.zeros((0, 3)), np.zeros(0, int), np.zeros(0, int))
    with pytest.raises(ModelError, match="0 windows"):
        evaluate(nothing, genres=GENRES, training_labels=np.array([0]))
    two = WindowPredictions(np.eye(2), np.array([0, 1]), np.array([1, 2]))
    with pytest.raises(ModelError, match="2 genres apart and 3 were named"):
        evaluate(two, genres=GENRES, training_labels=np.array([0]))
    with pytest.raises(ModelError, match="0 windows"):
        WindowPredictions.join([])


def test_the_calibration_error_is_that_of_known_bins() -> None:
    """Ten tracks that are 0.8 sure and seven of them right; ten that are 0.6 sure and all right."""
    sure = np.repeat([0.8, 0.6], 10)
    labels = np.array([0] * 7 + [1] * 3 + [0] * 10)
    made = WindowPredictions(np.stack([sure, 1 - sure], axis=1), labels, np.arange(20))
    metrics = evaluate(made, genres=("Folk", "Pop"), training_labels=np.array([0]))
    assert metrics.calibration_error == pytest.approx(0.5 * 0.1 + 0.5 * 0.4)
    # twice as sure: the odds are squared
    warm = evaluate(
        made,
        genres=("Folk", "Pop"),
        training_labels=np.array([0]),
        judgement=Judgement(temperature=0.5),
    )
    surer = [0.8**2 / (0.8**2 + 0.2**2), 0.6**2 / (0.6**2 + 0.4**2)]
    expected = 0.5 * abs(surer[0] - 0.7) + 0.5 * abs(surer[1] - 1)
    assert warm.calibration_error_scaled == pytest.approx(expected)
    assert warm.calibration_error == metrics.calibration_error
    assert warm.track_accuracy == metrics.track_accuracy


def test_the_confusion_matrix_counts_pairs() -> None:
    counts = confusion_matrix(np.array([0, 2, 2, 1]), np.array([1, 2, 0, 1]), classes=3)
    assert counts.tolist() == [[0, 1, 0], [0, 1, 0], [1, 0, 1]]


def test_evaluation_and_report_import_no_tensorflow() -> None:
    code = (
        "import sys, genre_model.judging.evaluation, genre_model.judging.report;"
        "import genre_model.networks;"
        "bad = {'tensorflow', 'keras', 'matplotlib', 'librosa'} & set(sys.modules);"
        "sys.exit(f'imported {bad}' if bad else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
