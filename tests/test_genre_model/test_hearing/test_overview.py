"""The mel picture of a whole file: what sounds when, in memory that does not grow with it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from made_model import made_filters

from genre_model.frontends.log_mel import DEFAULT
from genre_model.hearing.overview import MOST_COLUMNS, OverviewMaker

RATE = DEFAULT.sample_rate


def tone(hertz: float, seconds: float) -> np.ndarray:
    time_s = np.arange(int(seconds * RATE)) / RATE
    return (0.5 * np.sin(2 * np.pi * hertz * time_s)).astype(np.float32)


def maker() -> OverviewMaker:
    return OverviewMaker(DEFAULT.mel, made_filters(DEFAULT.mel))


@pytest.mark.parametrize("piece", [1_000, 4_096, 100_000])
def test_the_picture_is_the_same_however_the_waveform_comes(piece: int) -> None:
    waveform = np.concatenate([tone(1_000, 2), tone(6_000, 3)])
    whole, pieces = maker(), maker()
    whole.take(waveform)
    for start in range(0, len(waveform), piece):
        pieces.take(waveform[start : start + piece])
    np.testing.assert_allclose(whole.overview().decibels, pieces.overview().decibels, atol=1e-3)
    assert whole.overview().seconds == pytest.approx(5, abs=0.1)


def test_a_tone_is_seen_in_its_band_while_it_sounds() -> None:
    made = maker()
    made.take(np.concatenate([tone(1_000, 4), tone(6_000, 4)]))
    picture = made.overview()
    columns = picture.decibels.shape[1]
    bands_hz = (np.arange(DEFAULT.n_mels) * 4 + 1.5) * RATE / DEFAULT.n_fft
    early, late = picture.decibels[:, 3], picture.decibels[:, columns - 4]
    assert bands_hz[early.argmax()] == pytest.approx(1_000, abs=100)
    assert bands_hz[late.argmax()] == pytest.approx(6_000, abs=100)
    assert (picture.lowest, picture.highest) == (DEFAULT.f_min, DEFAULT.f_max)


def test_a_long_file_has_no_larger_picture_and_loses_nothing() -> None:
    made = maker()
    for place in range(40):
        made.take(tone(1_000 if place < 20 else 6_000, 5))
    picture = made.overview()
    columns = picture.decibels.shape[1]
    assert MOST_COLUMNS // 2 <= columns <= MOST_COLUMNS
    assert picture.seconds == pytest.approx(200, rel=0.01)
    louder = picture.decibels[30:].max(axis=0) > picture.decibels[:30].max(axis=0)
    assert abs(int(louder.argmax()) - columns // 2) <= 1
    assert made._sums.shape == (MOST_COLUMNS, DEFAULT.n_mels)


def test_silence_and_nothing_are_pictures_too() -> None:
    assert maker().overview().decibels.shape == (DEFAULT.n_mels, 0)
    made = OverviewMaker(replace(DEFAULT.mel, frame_length=400), made_filters(DEFAULT.mel))
    made.take(np.zeros(RATE, np.float32))
    assert made.overview().decibels.max() == pytest.approx(-100)
