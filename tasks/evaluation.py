"""Evaluate a model on one split of its catalogue, and publish metrics, plots and report."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self

import pandas as pd
from prefect import task
from prefect.cache_policies import NO_CACHE

from genre_model.data.catalogue import count_licences
from genre_model.errors import InvalidSpec
from genre_model.frontends import frontend_from_dict
from genre_model.judging.data_page import DataPage
from genre_model.judging.evaluation import track_table
from genre_model.judging.failing.mistakes import HeardMistake
from genre_model.judging.failing.robustness import DisturbedAccuracy
from genre_model.judging.judgement import Judgement
from genre_model.judging.leaks import Leaks
from genre_model.judging.licences import licence_remarks
from genre_model.judging.metrics import Metrics
from genre_model.judging.paired.comparison import Comparison, Evaluated, always, compare
from genre_model.judging.weak_spots import WeakSpots, find_weak_spots
from genre_model.learning.opening.params import PARAMS_FILE
from genre_model.printable import as_markdown_code, is_harmless_markdown, printable_name
from genre_model.recipe import EvaluateSpec
from genre_model.specs import policy_in_words
from storage.errors import Damaged, UnknownFormat
from storage.models import METRICS_FILE, Models
from storage.places.temporary_folders import temporary_folder
from storage.store import Store
from tasks.catalogue_page import describe_catalogue
from tasks.comparing.conditions import conditions_of
from tasks.comparing.former_evaluations import PREDICTIONS_FILE, former_evaluations, standing
from tasks.comparing.leaderboard import readings
from tasks.comparing.leaks import leaks_of
from tasks.comparing.mistakes import heard_mistakes
from tasks.comparing.robustness import Heard, robustness_of
from tasks.comparing.yardstick import ROLE as YARDSTICK
from tasks.comparing.yardstick import measure
from tasks.labelled import LabelledFeatures, load_labelled
from tasks.model_card import measure_predictions, write_card
from tasks.models import read_parameters
from tasks.native_stderr import Say, captured_native_stderr
from tasks.training import read_history

REPORT_FILE, MARKDOWN_FILE = "report.html", "report.md"
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


def report_address(store: Store, model: str, split: str) -> str:
    """Return the address of an evaluation's page."""
    return (store.models.evaluation(model, split) / REPORT_FILE).uri


def read_markdown(store: Store, model: str, split: str) -> str:
    """Read the report as Markdown with its pictures inside, if it is as this program writes it.

    Whoever made the store may have written another: a dashboard is shown no link, no HTML and no
    picture from elsewhere.
    """
    place = store.models.evaluation(model, split) / MARKDOWN_FILE
    text = place.read_bytes().decode(errors="replace")
    if is_harmless_markdown(text):
        return text
    return (
        f"{as_markdown_code(place.uri)} holds HTML, links or code that this program does not "
        "write; `genre evaluate --refresh` makes it anew.\n"
    )


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
    _write_report(
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


_SHOWN = ("track_id", "path", "title", "artist", "artist_id")
"""What of the catalogue stands beside a track's predictions."""


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times"


def _nets(licences: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Say whose pretrained nets a model is made of."""
    return {
        f"pretrained net {each.get('name')}": f"{each.get('licence')}; {each.get('source')}; "
        f"{each.get('citation') or 'no citation'}"
        for each in licences
    }


def _recipe(params: Mapping[str, Any]) -> dict[str, Mapping[str, object]]:
    """Return the tables of a model's recipe that say something, as the report names them."""
    recipe = params.get("recipe")
    if recipe is None:  # a model of before
        return {"Training": params["train_spec"]}
    named = {"Network": "model", "Augmentation": "augmentation", "Training": "training"}
    return {title: recipe[name] for title, name in named.items() if recipe.get(name)}


def _write_report(
    folder: Path,
    *,
    leaks: Leaks,
    readings: int,
    comparisons: Sequence[Comparison],
    standing: str,
    metrics: Metrics,
    table: pd.DataFrame,
    history: pd.DataFrame,
    params: dict[str, Any],
    data: LabelledFeatures,
    split: str,
    judgement: Judgement,
    weak_spots: WeakSpots,
    page: DataPage,
    mistakes: Sequence[HeardMistake],
    robustness: Sequence[DisturbedAccuracy],
) -> None:
    from genre_model.judging.report import Report

    facts = ("network", "parameters", "epochs", "best_epoch", "device", "catalogue")
    nets, licences = params.get("licences", ()), count_licences(data.tracks)
    added = {
        "split policy": policy_in_words(data.split_policy),
        f"{split} split read": _times(readings),
        "windows joined by": f"{judgement.rule} (chosen on validation)",
        "temperature": judgement.temperature,
    }
    report = Report(
        metrics=metrics,
        history=history,
        model=params["id"],
        split=split,
        best_epoch=params["best_epoch"],
        facts={name: params[name] for name in facts} | added | _nets(nets),
        specs={"Features": params["features"], **_recipe(params)},
        tracks_per_split=data.counts(),
        quarantined=data.refused,
        predictions=table,
        licences=licences,
        remarks=(*data.told, *licence_remarks(nets, licences)),
        standing=standing,
        comparisons=comparisons,
        leaks=leaks,
        weak_spots=weak_spots,
        data=page,
        heard_mistakes=mistakes,
        robustness=robustness,
        head={
            "data set": data.features.data_set,
            "catalogue": data.catalogue_id,
            "recipe": f"{params['network']} on {data.spec.name}, seed {params.get('seed')}",
            "trained": str(params.get("trained", ""))[:10],
            "evaluated": datetime.now(UTC).date().isoformat(),
            "fma-genre": version("fma-genre"),
        },
    )
    for name, png in report.pictures.items():
        (folder / name).write_bytes(png)
    table.to_parquet(folder / PREDICTIONS_FILE, index=False)
    (folder / REPORT_FILE).write_text(report.html(), encoding="utf-8")
    (folder / MARKDOWN_FILE).write_text(report.markdown(), encoding="utf-8")
