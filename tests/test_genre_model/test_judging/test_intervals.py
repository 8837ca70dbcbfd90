"""Intervals hold what they are around, and are the published ones."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genre_model.judging.intervals import wilson_interval


@given(st.integers(1, 500), st.data())
def test_the_interval_holds_the_share_and_stays_within_bounds(
    trials: int, data: st.DataObject
) -> None:
    hits = data.draw(st.integers(0, trials))
    low, high = wilson_interval(hits, trials)
    assert 0 <= low <= hits / trials + 1e-12
    assert hits / trials - 1e-12 <= high <= 1
    surer_low, surer_high = wilson_interval(hits, trials, confidence=0.99)
    assert high - low <= surer_high - surer_low


def test_the_interval_is_the_published_one() -> None:
    # Wilson's interval for 81 of 263 (Newcombe 1998, table I): 0.2553 to 0.3662.
    assert wilson_interval(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    # and for 0 of 20: 0 to 0.1611.
    assert wilson_interval(0, 20) == pytest.approx((0, 0.1611), abs=5e-5)


def test_the_module_waits_with_scipy_until_it_is_asked() -> None:
    code = "import sys, genre_model.judging.intervals; sys.exit('scipy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
