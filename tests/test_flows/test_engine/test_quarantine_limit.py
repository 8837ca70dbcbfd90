"""Too many refused tracks end a run, with the ledger as its message."""

from __future__ import annotations

import pandas as pd
import pytest

from flows.engine.quarantine_limit import TRACKS_NAMED, check_quarantine
from flows.errors import TooManyQuarantined
from tasks.features import FeatureCounts


def counted(refused: int) -> FeatureCounts:
    return FeatureCounts(
        key="fma/default-12345678",
        tracks=100,
        written=100 - refused,
        reused=0,
        quarantined=refused,
        quarantined_now=refused,
        unlabelled=0,
        derived=0,
        remarks=(),
        windows=0,
        shards=2,
        reasons={"short": refused},
        statuses={},
    )


def ledger(count: int) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "track_id": range(10**15, 10**15 + count),
            "path": [f"jazz/{number}.wav" for number in range(count)],
            "reason": ["short"] * count,
            "detail": ["0.68 s decode"] * count,
        }
    )


@pytest.mark.parametrize(("refused", "limit"), [(0, 0.0), (10, 0.1), (100, 1.0)])
def test_up_to_the_limit_nothing_is_said(refused: int, limit: float) -> None:
    counts = counted(refused)
    check_quarantine(counts, ledger(refused), limit=limit, where="ledger.parquet")


def test_above_it_the_sentence_names_share_limit_reasons_tracks_and_ledger() -> None:
    counts = counted(12)
    with pytest.raises(TooManyQuarantined) as raised:
        check_quarantine(counts, ledger(12), limit=0.1, where="ledger.parquet")
    sentence = str(raised.value)
    for part in ("12 of 100", "12.0%", "--max-quarantined 10%", "12 short", "ledger.parquet"):
        assert part in sentence
    assert "jazz/0.wav is short (0.68 s decode)" in sentence
    assert f"{10**15}" not in sentence
    assert f"and {12 - TRACKS_NAMED} more" in sentence
    assert "\n" not in sentence
