"""The card of a model: what it is, what it was made of, how good it is, what it is not for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from genre_model.frontends.backbone import LICENCE_ENDING
from genre_model.judging.figures import figure_lines
from genre_model.judging.judgement import PRECISION, Judgement
from genre_model.judging.leaks import Leaks
from genre_model.judging.licences import licence_remarks
from genre_model.judging.metrics import Metrics, Stored
from genre_model.judging.report import most_confused
from genre_model.judging.templating import environment

CARD_FILE = "card.md"
SHOWN_LICENCES = 20
_WEAKEST = 3


@dataclass(frozen=True, kw_only=True)
class Card:
    """What a card tells.

    Parameters
    ----------
    params : Stored
        Of the model's params.json.
    metrics : Metrics
        Of a split.
    split : str
    data_set : str
    licences : Mapping[str, int]
        Licence -> tracks of the catalogue.
    remarks : Sequence[str]
        What a reader of results must know about the tracks.
    leaks : Leaks, optional
        What the split shares with the training tracks.
    window_seconds : float, optional
        How long the windows are that it takes.
    """

    params: Stored
    metrics: Metrics
    split: str
    data_set: str
    licences: Mapping[str, int] = field(default_factory=dict)
    remarks: Sequence[str] = ()
    leaks: Leaks | None = None
    window_seconds: float | None = None

    def markdown(self) -> str:
        """Return the card as Markdown, with a head that model hubs read."""
        nets = [dict(each) for each in self.params.get("licences", ())]
        shown = dict(list(self.licences.items())[:SHOWN_LICENCES])
        recipe = self.params.get("recipe", {})
        return (
            environment()
            .get_template("card.md.j2")
            .render(
                params=self.params,
                metrics=self.metrics,
                split=self.split,
                data_set=self.data_set,
                figures=figure_lines(self.metrics),
                basis=self.metrics.resampling.basis,
                nets=nets,
                licence_files=[
                    name for name in self.params.get("files", ()) if name.endswith(LICENCE_ENDING)
                ],
                licences=shown,
                more_licences=len(self.licences) - len(shown),
                remarks=(*self.remarks, *licence_remarks(nets, self.licences)),
                recipe=recipe.get("training", {}) if isinstance(recipe, Mapping) else {},
                judgement=Judgement.from_params(self.params),
                precision=PRECISION,
                weakest=self._weakest(),
                confusions=most_confused(self.metrics),
                leaks=self.leaks,
                window_seconds=self.window_seconds,
            )
        )

    def _weakest(self) -> list[str]:
        """Name the genres with tracks that have the lowest F1."""
        each = self.metrics.per_genre
        known = [name for name in each if each[name].tracks]
        return sorted(known, key=lambda name: each[name].f1)[:_WEAKEST]
