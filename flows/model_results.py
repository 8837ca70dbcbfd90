"""What `genre models` and `genre sweep` answer; as `flows.results`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flows.results import EvaluateResult, Json
    from genre_model.judging.paired.comparison import Comparison
    from tasks.comparing.leaderboard import Leaderboard
    from tasks.sweeping import Sweep


@dataclass(frozen=True, kw_only=True)
class ModelsResult:
    """What `genre models` found."""

    store: str
    board: Leaderboard

    def to_dict(self) -> Json:
        """Return the JSON object of `genre models`."""
        return {"store": self.store, **self.board.to_dict()}


@dataclass(frozen=True, kw_only=True)
class PromotedResult:
    """What `genre models promote` did.

    Attributes
    ----------
    champion : str
        The model that `predict` uses now.
    former : str or None
        The one before; promoting it is the way back.
    history : tuple[tuple[str, str], ...]
        All there were, with the time since when; the champion last.
    """

    champion: str
    former: str | None
    history: tuple[tuple[str, str], ...]

    def to_dict(self) -> Json:
        """Return the JSON object of `genre models promote`."""
        history = [{"model": model, "since": since} for model, since in self.history]
        return {"champion": self.champion, "former": self.former, "history": history}


@dataclass(frozen=True, kw_only=True)
class ComparedResult:
    """What `genre models compare` found: `difference` is the first one's less the second one's."""

    model: str
    split: str
    comparison: Comparison

    def to_dict(self) -> Json:
        """Return the JSON object of `genre models compare`."""
        found = self.comparison.to_dict()
        return {
            **{name: value for name, value in found.items() if name not in ("role", "model")},
            "model": self.model,
            "other": self.comparison.model,
            "split": self.split,
            "difference": self.comparison.difference,
        }


@dataclass(frozen=True, kw_only=True)
class SweepResult:
    """What `genre sweep` did.

    Attributes
    ----------
    store, catalogue : str
    sweep : Sweep
        Its fields stand beside the others in the JSON.
    reused : int
        Trainings of which the model was there already.
    evaluation : EvaluateResult or None
        Of the best, where it was asked for.
    seconds : float
    """

    store: str
    catalogue: str
    sweep: Sweep
    reused: int
    evaluation: EvaluateResult | None
    seconds: float

    def to_dict(self) -> Json:
        """Return the JSON object of `genre sweep`."""
        return {
            **self.sweep.to_dict(),
            **{name: each for name, each in vars(self).items() if name != "sweep"},
            "evaluation": self.evaluation.to_dict() if self.evaluation else None,
        }
