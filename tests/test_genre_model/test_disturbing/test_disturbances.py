"""Each disturbance does what it is called, on signals of which that is known."""

from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile

from genre_model.disturbing.disturbances import (
    DISTURBANCES,
    PLAIN,
    RATE,
    as_mp3,
    as_wav,
    louder,
    low_passed,
    noisy,
    shifted,
    stretched,
)

SECONDS = 4.0


def tone(hertz: float, seconds: float = SECONDS) -> np.ndarray:
    time = np.arange(int(seconds * RATE)) / RATE
    return (0.25 * np.sin(2 * np.pi * hertz * time)).astype(np.float32)


def pitch(waveform: np.ndarray) -> float:
    """Find the strongest frequency of the middle, to a fraction of a hertz."""
    middle = waveform[len(waveform) // 4 : 3 * len(waveform) // 4]
    power = np.abs(np.fft.rfft(middle * np.hanning(len(middle)), n=2**19))
    return float(power.argmax() * RATE / 2**19)


def level(waveform: np.ndarray) -> float:
    """Return the power of the middle in decibels."""
    middle = waveform[len(waveform) // 4 : 3 * len(waveform) // 4].astype(np.float64)
    return float(10 * np.log10(np.mean(middle**2)))


def read(file: bytes) -> np.ndarray:
    samples, rate = soundfile.read(io.BytesIO(file), dtype="float32")
    assert rate == RATE
    return np.asarray(samples)


@pytest.mark.parametrize("decibels", [12.0, -12.0, 0.0])
def test_gain_is_so_many_decibels_and_clips_nothing(decibels: float) -> None:
    found = louder(4 * tone(440), decibels)
    assert level(found) - level(4 * tone(440)) == pytest.approx(decibels, abs=1e-4)
    assert found.dtype == np.float32


@pytest.mark.parametrize(
    ("hertz", "loss"), [(100, 0.0), (4_000, 0.0), (8_000, 6.02), (16_000, 300.0)]
)
def test_low_pass_leaves_what_is_below_it(hertz: float, loss: float) -> None:
    lost = level(tone(hertz)) - level(low_passed(tone(hertz), 8_000))
    if loss > 60:
        assert lost > 60
    else:
        assert lost == pytest.approx(loss, abs=0.1)


def test_noise_is_white_and_so_far_below() -> None:
    clip = tone(1_000)
    added = noisy(clip, 20, np.random.default_rng(1)) - clip
    assert level(clip) - level(added) == pytest.approx(20, abs=0.1)
    bands = np.array_split(np.abs(np.fft.rfft(added)) ** 2, 8)
    powers = 10 * np.log10([each.mean() for each in bands])
    assert powers.max() - powers.min() < 0.5
    again = noisy(clip, 20, np.random.default_rng(1))
    np.testing.assert_array_equal(again, noisy(clip, 20, np.random.default_rng(1)))
    assert (again != noisy(clip, 20, np.random.default_rng(2))).any()


@pytest.mark.slow  # librosa compiles
@pytest.mark.parametrize("semitones", [2.0, -2.0])
def test_another_pitch_is_so_many_semitones_at_the_same_tempo(semitones: float) -> None:
    found = shifted(tone(1_000), semitones)
    assert pitch(found) == pytest.approx(1_000 * 2 ** (semitones / 12), rel=2e-3)
    assert len(found) == len(tone(1_000))
    assert level(found) == pytest.approx(level(tone(1_000)), abs=1.0)


@pytest.mark.slow
@pytest.mark.parametrize("rate", [1.05, 0.95])
def test_another_tempo_is_so_much_shorter_at_the_same_pitch(rate: float) -> None:
    found = stretched(tone(1_000), rate)
    assert len(found) == pytest.approx(len(tone(1_000)) / rate, rel=1e-3)
    assert pitch(found) == pytest.approx(1_000, rel=2e-3)
    assert level(found) == pytest.approx(level(tone(1_000)), abs=1.0)


@pytest.mark.slow
def test_a_beat_comes_so_much_earlier_when_it_is_faster() -> None:
    clip = np.zeros(int(SECONDS * RATE), np.float32)
    at = int(3.0 * RATE)
    clip[at : at + 2_000] = tone(2_000, 1.0)[:2_000]
    found = stretched(clip, 1.05)
    heard = np.flatnonzero(np.abs(found) > 0.1)
    assert heard.mean() / RATE == pytest.approx((at + 1_000) / RATE / 1.05, abs=0.03)


def test_mp3_has_its_bit_rate_and_a_wav_the_same_numbers() -> None:
    clip = tone(1_000, 10.0) + 0.05 * np.random.default_rng(0).standard_normal(10 * RATE)
    clip = clip.astype(np.float32)
    file = as_mp3(clip)
    assert file[:3] == b"ID3" or file[0] == 0xFF
    assert 8 * len(file) / 10 == pytest.approx(64_000, rel=0.03)
    heard = read(file)
    assert len(heard) == pytest.approx(len(clip), abs=2_500)
    assert pitch(heard) == pytest.approx(1_000, rel=1e-3)
    np.testing.assert_array_equal(read(as_wav(clip * 3)), clip * 3)


@pytest.mark.slow  # librosa compiles
def test_the_table_has_what_is_asked_for() -> None:
    clip = tone(1_000)
    made = {name: each.make(clip, np.random.default_rng(0)) for name, each in DISTURBANCES.items()}
    heard = {name: read(file) for name, file in made.items()}
    np.testing.assert_array_equal(heard[PLAIN], clip)
    plain = level(clip)
    gains = [round(level(heard[name]) - plain) for name in ("louder", "softer")]
    assert gains == [12, -12]
    assert pitch(heard["higher"]) == pytest.approx(1_122.46, rel=2e-3)
    assert pitch(heard["lower"]) == pytest.approx(890.90, rel=2e-3)
    assert len(clip) / len(heard["faster"]) == pytest.approx(1.05, rel=1e-3)
    assert len(clip) / len(heard["slower"]) == pytest.approx(0.95, rel=1e-3)
    assert level(heard["noise"] - clip) - plain == pytest.approx(-20, abs=0.1)
    assert 8 * len(made["mp3"]) / SECONDS == pytest.approx(64_000, rel=0.06)
    np.testing.assert_array_equal(heard["low-pass"], low_passed(clip, 8_000))
    assert len({each.title for each in DISTURBANCES.values()}) == len(DISTURBANCES) == 10
