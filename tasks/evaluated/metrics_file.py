"""The content of a metrics.json."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from genre_model.judging.failing.robustness import DisturbedAccuracy
from genre_model.judging.leaks import Leaks
from genre_model.judging.metrics import Metrics
from genre_model.judging.paired.comparison import Comparison
from storage.errors import Damaged

FORMAT = 3
"""Of metrics.json; one of before is made anew."""


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """The content of a metrics.json.

    Attributes
    ----------
    model, split : str
    metrics : Metrics
        Its figures stand beside the others in the JSON.
    comparisons : tuple[Comparison, ...]
        With the champion and with the model that was evaluated before, where there is one, with
        the yardstick, where the store has its features, and with the dummy.
    leaks : Leaks
        What the split shares with the training tracks.
    evaluated : str
        When, as ISO 8601.
    readings : int
        How often the split was read for this model, this time included: a split that was looked
        at often is no longer unseen.
    robustness : tuple[DisturbedAccuracy, ...]
        With each disturbance of the clips, where that was asked for.
    """

    model: str
    split: str
    metrics: Metrics
    leaks: Leaks
    comparisons: tuple[Comparison, ...] = ()
    evaluated: str = ""
    readings: int = 1
    robustness: tuple[DisturbedAccuracy, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """Return plain values, ready for JSON."""
        return {
            "format": FORMAT,
            "model": self.model,
            "split": self.split,
            **self.metrics.to_dict(),
            "comparisons": [each.to_dict() for each in self.comparisons],
            **self.leaks.to_dict(),
            "evaluated": self.evaluated,
            "readings": self.readings,
            "robustness": [each.to_dict() for each in self.robustness],
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any], *, where: str) -> Self:
        """Read what `to_dict` gave.

        Raises
        ------
        Damaged
            If something is missing or of another kind; `where` is for the sentence.
        """
        try:
            return cls(
                model=stored["model"],
                split=stored["split"],
                metrics=Metrics.from_dict(stored),
                comparisons=tuple(map(Comparison.from_dict, stored["comparisons"])),
                leaks=Leaks.from_dict(stored),
                evaluated=stored["evaluated"],
                readings=int(stored["readings"]),
                robustness=tuple(map(DisturbedAccuracy.from_dict, stored.get("robustness", ()))),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise Damaged(
                f"{where} is not the metrics of an evaluation ({type(error).__name__}: {error}); "
                "`genre evaluate --refresh` makes it anew."
            ) from error
