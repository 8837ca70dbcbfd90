"""What `genre models` answers: frozen dataclasses whose `to_dict()` is the JSON contract."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flows.results import Json
    from genre_model.judging.comparison import Comparison
    from tasks.comparing.leaderboard import Leaderboard


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
