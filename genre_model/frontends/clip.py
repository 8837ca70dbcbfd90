"""What a frontend makes of one clip."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from genre_model.signal.status import Status

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, kw_only=True)
class Sound:
    """What the audio of a clip is, before anything is made of it.

    Parameters
    ----------
    sample_rate : int [Hz]
        Of the file; of several the highest.
    channels : int
    level_db : float [dBFS]
        RMS of the channels' mean over what was decoded, at least -300.
    file_s : float [s]
        Length of all that can be played of the file, of which a long one's middle was decoded.
    """

    sample_rate: int
    channels: int
    level_db: float
    file_s: float


@dataclass(frozen=True)
class ClipWindows:
    """The features of one clip.

    Parameters
    ----------
    status : Status
        What became of it.
    detail : str
        One sentence for people; empty for `ok`.
    windows : np.ndarray [shape=(whole windows, ...), float16] | None
        The head of the clip's row: of log-mel [whole windows, bands, frames]. None unless the
        status is kept. All values are finite.
    seconds : float [s]
        Length of the audio that was decoded; 0 if there is none.
    sound : Sound | None
        None where nothing was decoded.
    """

    status: Status
    detail: str
    windows: np.ndarray | None
    seconds: float
    sound: Sound | None = None
