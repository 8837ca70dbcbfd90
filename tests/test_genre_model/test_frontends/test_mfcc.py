"""Classical statistics: coefficients and slopes, and what of them a window holds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from signals import band_noise, encoded

from genre_model.errors import InvalidSpec
from genre_model.frontends.mfcc import MFCC
from genre_model.mel import clip_windows
from genre_model.signal.cepstrum import coefficients, slopes, statistics
from genre_model.signal.status import Status


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
