"""Numbers as people read them, in artifacts, logs and on the terminal alike."""

from __future__ import annotations


def share_of_time(share: float | None) -> str:
    """Say how much of the time something took, None where nobody measured it."""
    return "not measured" if share is None else f"{share:.1%} of the time"
