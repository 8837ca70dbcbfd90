"""Sentences that say how much of a file could not be read."""

from __future__ import annotations

from genre_model.signal.holding import Holding

# Less is the decoder's own delay, or what is left of a last frame.
_UNHEARD_S = 0.2
# A header that promises more than a day lies.
_PLAUSIBLE_S = 24 * 3_600


def unread(seconds: float, holding: Holding) -> str:
    """Say how much of a file was not read.

    Parameters
    ----------
    seconds : float [s]
        How much could be.
    holding : Holding
        What the file holds.

    Returns
    -------
    str
        A sentence; empty if all was read.
    """
    held = holding.seconds + holding.lost_seconds
    if not holding.lost_bytes and held - seconds < _UNHEARD_S:
        return ""
    sentence = _share(seconds, held)
    if holding.lost_bytes:
        sentence += f"; {_size(holding.lost_bytes)} of it are no audio that can be played"
    return sentence


def unread_of_promised(seconds: float, promised: float, *, gave_up: bool) -> str:
    """Say how much was not read of a file of which no more is known than its header says.

    Parameters
    ----------
    seconds, promised : float [s]
        How much there was, and was to be.
    gave_up : bool
        Whether the decoder did.

    Returns
    -------
    str
        A sentence; empty if all was read.
    """
    if not gave_up and promised - seconds < _UNHEARD_S:
        return ""
    why = "; there the decoder gave up" if gave_up else ""
    if seconds < promised < _PLAUSIBLE_S:
        return _share(seconds, promised) + why
    return f"{seconds:.1f} s could be read{why}" if gave_up else ""


def _share(seconds: float, held: float) -> str:
    digits = 0 if held - seconds >= 10 else 1
    return f"{seconds:.{digits}f} of {held:.{digits}f} s could be read"


def _size(count: int) -> str:
    if count < 1_000:
        return f"{count} bytes"
    return f"{count / 1e3:.1f} kB" if count < 1e6 else f"{count / 1e6:.1f} MB"
