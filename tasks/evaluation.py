"""Evaluate a model on one split of its catalogue, and publish metrics, plots and report."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from genre_model.errors import InvalidSpec
from genre_model.frontends import frontend_from_dict
from genre_model.judging.evaluation import track_table
from genre_model.judging.judgement import Judgement
from genre_model.judging.paired.comparison import Evaluated, always, compare
from genre_model.judging.weak_spots import find_weak_spots
from genre_model.learning.opening.params import PARAMS_FILE
from genre_model.printable import printable_name
from genre_model.recipe import EvaluateSpec
from storage.errors import Damaged, UnknownFormat
from storage.models import METRICS_FILE, Models
from storage.places.temporary_folders import temporary_folder
from storage.store import Store
from tasks.catalogue_page import describe_catalogue
from tasks.comparing.conditions import conditions_of
from tasks.comparing.former_evaluations import former_evaluations, standing
from tasks.comparing.leaderboard import readings
from tasks.comparing.leaks import leaks_of
from tasks.comparing.mistakes import heard_mistakes
from tasks.comparing.robustness import Heard, robustness_of
from tasks.comparing.yardstick import ROLE as YARDSTICK
from tasks.comparing.yardstick import measure
from tasks.evaluated.metrics_file import FORMAT, Evaluation
from tasks.evaluated.report import write_report
from tasks.labelled import LabelledFeatures, load_labelled
from tasks.model_card import measure_predictions, write_card
from tasks.models import read_parameters
from tasks.native_stderr import Say, captured_native_stderr
from tasks.training import read_history

_SHOWN = ("track_id", "path", "title", "artist", "artist_id")
"""What of the catalogue stands beside a track's predictions."""


def _run_name(parameters: dict[str, Any]) -> str:
    return printable_name(f"evaluate {parameters['model']} on {parameters['spec'].split}")


@task(
    name="evaluate",
    task_run_name=_run_name,  # type: ignore[arg-type]
    cache_policy=NO_CACHE,
)
def evaluate_network(
    store: Store,
    model: str,
    spec: EvaluateSpec,
    *,
    refresh: bool = False,
    disturbed: Heard | None = None,
    say: Say | None = None,
) -> Evaluation:
    """Predict a split's tracks, and publish what the predictions are worth.

    Parameters
    ----------
    store : Store
    model : str
        Its id.
    spec : EvaluateSpec
        Which split.
    refresh : bool
        Evaluate again though it is done.
    disturbed : Heard, optional
        What the model heard of the split's clips, disturbed: it is measured, too.
    say : callable, optional
        Told what is waited for.

    Raises
    ------
    NotFound
        If the model, or what it was trained on, is not in the store.
    UnknownFormat
        If another version wrote the model.
    Damaged
        If the evaluation that is there cannot be read.
    """
    models = store.models
    if (mended := models.mend_champion()) and say is not None:
        say(mended)
    problems = models.evaluation_problems(model, spec.split)
    if problems and say is not None:
        say(f"{problems[0].sentence} The model is evaluated again.")
    before = {} if problems else models.metrics(model, split=spec.split) or {}
    if before and before.get("format") != FORMAT and say is not None:
        say(f"another version evaluated {model}; it is evaluated again")
    is_known = before.get("format") == FORMAT and not refresh and disturbed is None
    if stored := before if is_known else {}:
        place = models.evaluation(model, spec.split) / METRICS_FILE
        found = Evaluation.from_dict(stored, where=place.uri)
    else:
        if before.get("robustness") and disturbed is None and say is not None:
            say("what disturbances cost is not told any more; --robustness measures it again")
        data = trained_on(store, model)
        with temporary_folder("evaluation") as folder:
            found = _evaluate(
                store,
                model,
                data,
                spec,
                folder,
                disturbed=disturbed,
                readings=_read_before(models, model, spec.split) + 1,
                say=say,
            )
            models.publish_evaluation(folder, model, split=spec.split)
    models.set_champion_if_none(model)
    return found


def _read_before(models: Models, model: str, split: str) -> int:
    """Say how often a split was read, by its metrics, though the evaluation may be damaged."""
    try:
        return readings(models.metrics(model, split=split) or {})
    except Damaged:
        return 0


def is_robustness_known(store: Store, model: str, split: str) -> bool:
    """Whether the evaluation that is there tells what disturbances cost."""
    models = store.models
    if models.evaluation_problems(model, split):
        return False
    metrics = models.metrics(model, split=split) or {}
    return metrics.get("format") == FORMAT and bool(metrics.get("robustness"))


def trained_on(store: Store, model: str) -> LabelledFeatures:
    """Open the features, labels and splits that a model was trained with.

    Raises
    ------
    NotFound
        If they are not in the store.
    UnknownFormat
        If another version wrote the model, which does not tell.
    """
    params = read_parameters(store.models, model)
    try:
        spec, catalogue = frontend_from_dict(params["features"]), str(params["catalogue"])
        policy = str(params.get("split_policy", "official"))
    except (KeyError, TypeError, AttributeError, InvalidSpec) as error:
        raise UnknownFormat(
            f"{(store.models.location(model) / PARAMS_FILE).uri} does not say what {model} was "
            f"trained on ({error}), as another version wrote it: train the model again."
        ) from error
    return load_labelled(store, spec, catalogue_id=catalogue, split_policy=policy)


def _evaluate(
    store: Store,
    model: str,
    data: LabelledFeatures,
    spec: EvaluateSpec,
    folder: Path,
    *,
    disturbed: Heard | None,
    readings: int,
    say: Say | None,
) -> Evaluation:
    models = store.models
    with captured_native_stderr(say):
        from genre_model.learning.bundle import load_bundle
        from genre_model.learning.inference import predict_rows

        bundle = load_bundle(models.fetch(model))
        network = bundle.network()
    predictions = predict_rows(
        network,
        data.split(spec.split),
        data.features.read_shard,
        rows_per_shard=data.features.rows_per_shard,
    )
    judgement = Judgement.from_params(bundle.params)
    metrics = measure_predictions(predictions, data, judgement)
    said = track_table(predictions, genres=bundle.genres, rule=judgement.rule)
    table = said.merge(data.tracks[list(_SHOWN)], on="track_id", how="left")
    this = Evaluated(model=model, catalogue=data.catalogue_id, tracks=table)
    formers = former_evaluations(models, model, split=spec.split)
    comparisons = [compare(this, other, role=role) for role, other in formers]
    stands = [standing(models, model, comparisons)]
    measured = measure(store, data, split=spec.split, say=say)
    if isinstance(measured, str):
        stands.append(measured)
    else:
        comparisons.append(compare(this, measured, role=YARDSTICK))
    comparisons.append(compare(this, always(this, metrics.dummy_genre), role="dummy"))
    leaks = leaks_of(data, split=spec.split)
    robustness = robustness_of(disturbed, data, rule=judgement.rule)
    write_card(folder, data, params=bundle.params, metrics=metrics, split=spec.split, leaks=leaks)
    write_report(
        folder,
        leaks=leaks,
        readings=readings,
        comparisons=comparisons,
        standing=" ".join(filter(None, stands)),
        metrics=metrics,
        table=table,
        history=read_history(models, model),
        params=bundle.params,
        data=data,
        split=spec.split,
        judgement=judgement,
        weak_spots=find_weak_spots(predictions, conditions_of(data), judgement),
        page=describe_catalogue(store, data.catalogue_id, array=data.features),
        mistakes=tuple(heard_mistakes(data, predictions, table)),
        robustness=robustness,
    )
    found = Evaluation(
        model=model,
        split=spec.split,
        metrics=metrics,
        comparisons=tuple(comparisons),
        leaks=leaks,
        readings=readings,
        robustness=robustness,
        evaluated=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    (folder / METRICS_FILE).write_text(json.dumps(found.to_dict(), indent=1, ensure_ascii=False))
    return found
