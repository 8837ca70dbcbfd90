"""What is served, within which limits, and for whom."""

from __future__ import annotations

from dataclasses import dataclass

from genre_model.judging.judgement import Judgement
from tasks.predicting.chosen import ChosenModel, Judged

ARRIVAL = 10
"""How many times as long a song may take to arrive as to be heard."""
LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, kw_only=True)
class Served:
    """All that the application needs to know.

    Attributes
    ----------
    chosen : ChosenModel
    judged : Judged, optional
        What the model is worth on test tracks, where that is known.
    workers : int
        Processes that hear songs.
    queue : int
        Songs that may wait beside those.
    max_mb : int [MB]
        Of a song.
    max_seconds : int [s]
        That a song may take to be heard, and that the server waits for more of it; it may take
        ten times as long to arrive.
    token : str, optional
        What must be told to be served; None where only this machine is.
    """

    chosen: ChosenModel
    judged: Judged | None
    workers: int
    queue: int
    max_mb: int
    max_seconds: int
    token: str | None = None

    @property
    def arrival_seconds(self) -> int:
        """Return how many seconds a song may take to arrive."""
        return ARRIVAL * self.max_seconds

    def to_dict(self) -> dict[str, object]:
        """Return what the page says of the model, without the token."""
        bundle = self.chosen.bundle
        return {
            "model": self.chosen.id,
            "network": bundle.params.get("network"),
            "features": bundle.features.name,
            "genres": list(bundle.genres),
            "threshold": Judgement.from_params(bundle.params).threshold,
            "judged": None if self.judged is None else self.judged.to_dict(),
            "licences": bundle.licences,
            "max_mb": self.max_mb,
            "max_seconds": self.max_seconds,
        }
