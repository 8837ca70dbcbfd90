"""What a new evaluation is compared with: the champion's, and the one before it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from storage.errors import Damaged
from storage.models import Json, Models
from storage.tables import read_table
from tasks.models import made_by, readable_parameters

if TYPE_CHECKING:
    from genre_model.judging.paired.comparison import Comparison, Evaluated

PREDICTIONS_FILE = "predictions.parquet"
CHAMPION, PREVIOUS = "champion", "previous model"
_SAME = ("network", "features", "catalogue")


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
        line where they are the same; then the same recipe trained with another split policy.
    """
    params = readable_parameters(models, needed=model)
    data_set = params[model].get("data_set")
    others = [name for name, made in params.items() if made.get("data_set") == data_set]
    evaluated = {
        name: at for name in others if name != model and (at := _when(models, name, split))
    }
    by_time = sorted(evaluated, key=evaluated.__getitem__)
    roles = dict.fromkeys(by_time[-1:], PREVIOUS)
    champion = models.champion()
    if champion in by_time:
        roles = {champion: CHAMPION} | {k: v for k, v in roles.items() if k != champion}
    for name in by_time:
        if _differs_in_policy(params[model], params[name]):
            roles.setdefault(name, f"{_policy(params[name])} split")
    for name, role in roles.items():
        if role in (CHAMPION, PREVIOUS) and _differs_in_policy(params[model], params[name]):
            roles[name] = f"{role}, {_policy(params[name])} split"
    return [
        (role, _read(models, name, split, str(params[name]["catalogue"])))
        for name, role in roles.items()
        if not models.evaluation_problems(name, split)
    ]


def standing(models: Models, model: str, comparisons: Sequence[Comparison]) -> str:
    """Say what the champion is to this model; nothing where a comparison says it."""
    champion = models.champion()
    if champion is None:
        return "The first model that was evaluated in this store becomes its champion."
    if champion == model:
        return "This model is the champion."
    if any(each.role.startswith(CHAMPION) for each in comparisons):
        return ""
    return f"The champion, {champion}, has no evaluation of these tracks to compare with."


def _differs_in_policy(one: Json, other: Json) -> bool:
    """Whether two models are of one recipe, trained with different split policies."""
    policies = {_policy(one), _policy(other)}
    alike = made_by(one) == made_by(other)
    return alike and len(policies) == 2 and all(one.get(n) == other.get(n) for n in _SAME)


def _policy(params: Json) -> str:
    return str(params.get("split_policy", "official"))


def _when(models: Models, name: str, split: str) -> str:
    """Say when a model was evaluated; nothing where it was not, or that cannot be read."""
    try:
        found = models.metrics(name, split=split) or {}
    except Damaged:
        return ""
    return str(found.get("evaluated", ""))


def _read(models: Models, model: str, split: str, catalogue: str) -> Evaluated:
    from genre_model.judging.paired.comparison import Evaluated

    place = models.evaluation(model, split) / PREDICTIONS_FILE
    return Evaluated(model=model, catalogue=catalogue, tracks=read_table(place))
