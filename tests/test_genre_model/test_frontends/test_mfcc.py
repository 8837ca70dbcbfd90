"""Classical statistics: librosa's coefficients and slopes, and what of them a window holds."""

from __future__ import annotations

from dataclasses import replace

import librosa
import numpy as np
import pytest
from signals import band_noise, decode, encoded

from genre_model.errors import InvalidSpec
from genre_model.frontends.mfcc import MFCC, Mfcc
from genre_model.mel import clip_windows
from genre_model.signal.cepstrum import coefficients, slopes, statistics
from genre_model.signal.status import Status


def reference(samples: np.ndarray, rate: int, spec: Mfcc) -> np.ndarray:
    """Compute coefficients the plain way [frames, coefficients]."""
    mono = samples.mean(axis=1) if samples.ndim == 2 else samples
    waveform = librosa.resample(mono, orig_sr=rate, target_sr=spec.sample_rate, res_type="soxr_hq")
    power = librosa.feature.melspectrogram(
        y=waveform, sr=spec.sample_rate, n_fft=spec.n_fft, hop_length=spec.hop_length
    )
    values: np.ndarray = librosa.feature.mfcc(
        S=librosa.power_to_db(power, top_db=None), n_mfcc=spec.coefficients
    )
    return values.T


def test_a_window_holds_the_statistics_of_librosas_coefficients() -> None:
    content = encoded(band_noise(30.0), format="FLAC")
    samples, rate = decode(content)
    values = reference(samples, rate, MFCC)

    clip = clip_windows(content, preset="mfcc")

    assert (clip.status, clip.seconds) == (Status.OK, 30.0)
    assert clip.windows is not None
    assert (clip.windows.shape, clip.windows.dtype) == ((10, 80), np.float16)
    for number, window in enumerate(clip.windows.astype(np.float64)):
        own = values[128 * number : 128 * number + 128]
        moving = librosa.feature.delta(own, width=9, axis=0)[4:-4]
        parts = [own.mean(axis=0), own.std(axis=0), moving.mean(axis=0), moving.std(axis=0)]
        np.testing.assert_allclose(window, np.concatenate(parts), rtol=2e-3, atol=2e-2)


def test_coefficients_of_a_flat_spectrum_are_its_level_alone() -> None:
    found = coefficients(np.full((3, 16), -20.0, np.float32), count=5)

    assert found.shape == (3, 5)
    np.testing.assert_allclose(found[:, 0], -20.0 * np.sqrt(16), rtol=1e-6)
    assert np.abs(found[:, 1:]).max() < 1e-4


def test_the_slope_of_a_line_is_its_slope() -> None:
    line = np.arange(20.0)[:, None] * [2.0, -0.5] + [3.0, 7.0]

    assert slopes(line).shape == (12, 2)
    np.testing.assert_allclose(slopes(line), np.tile([2.0, -0.5], (12, 1)))
    np.testing.assert_allclose(statistics(line)[4:], [2.0, -0.5, 0.0, 0.0], atol=1e-12)


def test_a_short_clip_is_partial_and_a_shorter_one_short() -> None:
    partial = clip_windows(encoded(band_noise(7.0)), preset="mfcc")
    short = clip_windows(encoded(band_noise(2.0)), preset="mfcc")

    assert partial.status is Status.PARTIAL
    assert partial.windows is not None
    assert len(partial.windows) == 2
    assert (short.status, short.windows) == (Status.SHORT, None)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"coefficients": 129}, "coefficients is 129"),
        ({"window_frames": 8}, "window_frames is 8"),
        ({"windows": 11}, "windows is 11"),
        ({"n_fft": 2_047}, "even"),
        ({"kind": "log_mel"}, "kind is 'log_mel'"),
    ],
)
def test_bad_specs_are_refused_by_name_and_value(changes: dict[str, object], named: str) -> None:
    with pytest.raises(InvalidSpec, match=named):
        replace(MFCC, **changes)  # type: ignore[arg-type]
