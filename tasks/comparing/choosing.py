"""Which of two models is better: for the champion on validation, for a person on any split."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genre_model.data.sharing.policies import under_policy
from genre_model.errors import ModelError
from genre_model.specs import LEAKY_POLICIES, SPLIT_POLICIES
from storage.errors import NotFound
from storage.models import Json, Models
from storage.store import Store
from storage.tables import read_table
from tasks.comparing.former_evaluations import PREDICTIONS_FILE
from tasks.models import read_parameters

if TYPE_CHECKING:
    from genre_model.judging.paired.comparison import Comparison, Evaluated


def promote(models: Models, model: str) -> str | None:
    """Make a model the champion, and return the former one.

    Raises
    ------
    NotFound
        If there is no such model.
    """
    former = models.champion()
    if not models.exists(model):
        known = ", ".join(name for name, is_whole in models.list().items() if is_whole) or "none"
        raise NotFound(f"There is no model {model!r} in {models.store} (there: {known}).")
    models.move_champion(model)
    return former


def promote_if_better(models: Models, model: str) -> str:
    """Make a model the champion if it got more of the same validation tracks right.

    Returns
    -------
    str
        A sentence: what became of the champion, and why.
    """
    champion = models.champion()
    if champion is None or champion == model:
        return f"{model} is the champion."
    mine, theirs = (read_parameters(models, name) for name in (model, champion))
    if _validated_on(mine) != _validated_on(theirs):
        return (
            f"{champion} stays the champion: it was validated on other tracks, of "
            f"{theirs.get('catalogue')} ({_policy(theirs)} split); `genre models promote {model}` "
            "moves it all the same."
        )
    here, there = (each.get("validation_track_accuracy", 0.0) for each in (mine, theirs))
    if here <= there:
        return f"{champion} stays the champion: {there:.1%} of validation tracks, here {here:.1%}."
    models.move_champion(model)
    return f"{model} is the champion: {here:.1%} of validation tracks; {champion} had {there:.1%}."


def compare_models(store: Store, one: str, other: str, *, split: str) -> Comparison:
    """Compare the evaluations of two models of one split, track by track.

    Raises
    ------
    NotFound
        If there is no such model, or it was not evaluated on that split.
    ModelError
        If one was trained, or stopped, on tracks that the other is judged by.
    """
    from genre_model.judging.paired.comparison import compare

    mine, theirs = (_evaluated(store.models, name, split) for name in (one, other))
    for model, judged in ((one, theirs), (other, mine)):
        _refuse_seen(store, model, judged, split=split)
    return compare(mine, theirs, role="other model")


def _evaluated(models: Models, model: str, split: str) -> Evaluated:
    from genre_model.judging.paired.comparison import Evaluated

    if not models.exists(model):
        raise NotFound(f"There is no model {model!r} in {models.store}.")
    if models.metrics(model, split=split) is None:
        raise NotFound(
            f"{model} was not evaluated on the {split} split; run `genre evaluate --model {model} "
            f"--split {split}` first."
        )
    catalogue = str(read_parameters(models, model).get("catalogue", ""))
    place = models.evaluation(model, split) / PREDICTIONS_FILE
    return Evaluated(model=model, catalogue=catalogue, tracks=read_table(place))


def _refuse_seen(store: Store, model: str, judged: Evaluated, *, split: str) -> None:
    """Refuse a model that learned from the test tracks of another catalogue's splits."""
    if split == "training":
        return
    params = read_parameters(store.models, model)
    catalogue = store.catalogues.read(str(params["catalogue"]))
    tracks = under_policy(catalogue, _policy(params))
    if str(catalogue.attrs.get("data_set", "")) != _data_set(store, judged.catalogue):
        return
    seen = tracks.loc[tracks["split"] != "test", "track_id"]
    if split == "validation":
        seen = tracks.loc[tracks["split"] == "training", "track_id"]
    count = int(judged.tracks["track_id"].isin(seen).sum())
    if count:
        raise ModelError(
            f"{model} learned from {count:,} of the {split} tracks that {judged.model} is judged "
            "by, so that they cannot be compared; compare models of one catalogue"
        )


def _policy(params: Json) -> str:
    return str(params.get("split_policy", SPLIT_POLICIES[0]))


def _validated_on(params: Json) -> tuple[object, str]:
    """Tell whose validation tracks they were: a leaky policy has its own."""
    policy = _policy(params)
    return params.get("catalogue"), policy if policy in LEAKY_POLICIES else ""


def _data_set(store: Store, catalogue: str) -> str:
    return str(store.catalogues.read(catalogue).attrs.get("data_set", ""))
