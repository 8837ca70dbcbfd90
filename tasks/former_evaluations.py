"""What a new evaluation is compared with: the champion's, and the one before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pandas as pd

from storage.models import Models

if TYPE_CHECKING:
    from genre_model.judging.comparison import Comparison, Evaluated

PREDICTIONS_FILE = "predictions.parquet"
CHAMPION, PREVIOUS = "champion", "previous model"


def former_evaluations(models: Models, model: str, *, split: str) -> list[tuple[str, Evaluated]]:
    """Read the evaluations of one split that another model of the same data set has.

    Parameters
    ----------
    models : Models
    model : str
        The model that is being evaluated; it is not compared with itself.
    split : str

    Returns
    -------
    list of (role, Evaluated)
        The champion, then the model that was evaluated last; either where there is one, and one
        line where they are the same.
    """
    params = {name: models.parameters(name) for name, whole in models.list().items() if whole}
    data_set = params[model]["data_set"]
    metrics = {
        name: models.metrics(name, split=split)
        for name, made in params.items()
        if name != model and made["data_set"] == data_set
    }
    by_time = sorted(
        (name for name, found in metrics.items() if found is not None),
        key=lambda name: _evaluated(metrics[name], params[name]),
    )
    roles = dict.fromkeys(by_time[-1:], PREVIOUS)
    champion = models.champion()
    if champion in by_time:
        roles = {champion: CHAMPION} | {k: v for k, v in roles.items() if k != champion}
    return [
        (role, _read(models, name, split, str(params[name]["catalogue"])))
        for name, role in roles.items()
    ]


def standing(models: Models, model: str, comparisons: Sequence[Comparison]) -> str:
    """Say what the champion is to this model; nothing where a comparison says it."""
    champion = models.champion()
    if champion is None:
        return "The first model that was evaluated in this store becomes its champion."
    if champion == model:
        return "This model is the champion."
    if any(each.role == CHAMPION for each in comparisons):
        return ""
    return f"The champion, {champion}, has no evaluation of these tracks to compare with."


def _evaluated(metrics: Mapping[str, Any] | None, params: Mapping[str, Any]) -> str:
    return str((metrics or {}).get("evaluated") or params.get("trained", ""))


def _read(models: Models, model: str, split: str, catalogue: str) -> Evaluated:
    from genre_model.judging.comparison import Evaluated

    place = models.evaluation(model, split) / PREDICTIONS_FILE
    tracks = pd.read_parquet(BytesIO(place.read_bytes()))
    return Evaluated(model=model, catalogue=catalogue, tracks=tracks)
