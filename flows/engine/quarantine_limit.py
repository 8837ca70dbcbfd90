"""How many refused tracks are too many: then something else than the tracks is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from flows.errors import TooManyQuarantined

if TYPE_CHECKING:
    from tasks.features import FeatureCounts

TRACKS_NAMED = 10


def check_quarantine(
    counts: FeatureCounts, ledger: pd.DataFrame, *, limit: float, where: str
) -> None:
    """Refuse a run of whose tracks more than `limit` are quarantined.

    Parameters
    ----------
    counts : FeatureCounts
    ledger : pd.DataFrame
        `path`, `reason`, `detail`: the refused tracks of this catalogue.
    limit : float [0 to 1]
        Share of the tracks that may be refused.
    where : str
        Address of the whole ledger.

    Raises
    ------
    TooManyQuarantined
        With the ledger's first lines; what was written stays.
    """
    share = counts.quarantined / max(1, counts.tracks)
    if share <= limit:
        return
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in counts.reasons.items())
    shown = ledger[["path", "reason", "detail"]].head(TRACKS_NAMED).fillna("")
    named = [
        f"{path} is {reason}{f' ({detail})' if detail else ''}"
        for path, reason, detail in shown.astype(str).itertuples(index=False, name=None)
    ]
    more = f" and {len(ledger) - TRACKS_NAMED:,} more" if len(ledger) > TRACKS_NAMED else ""
    raise TooManyQuarantined(
        f"{counts.quarantined:,} of {counts.tracks:,} tracks ({share:.1%}) are quarantined, "
        f"more than --max-quarantined {limit:.0%}: {reasons}; the ledger is {where}: "
        f"{'; '.join(named)}{more}; mend the files and run again, or raise the limit"
    )
