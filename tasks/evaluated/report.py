"""The report of an evaluation: written into its folder, found and read again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from genre_model.data.catalogue import count_licences
from genre_model.judging.data_page import DataPage
from genre_model.judging.failing.mistakes import HeardMistake
from genre_model.judging.failing.robustness import DisturbedAccuracy
from genre_model.judging.judgement import Judgement
from genre_model.judging.leaks import Leaks
from genre_model.judging.licences import licence_remarks
from genre_model.judging.metrics import Metrics
from genre_model.judging.paired.comparison import Comparison
from genre_model.judging.weak_spots import WeakSpots
from genre_model.printable import as_markdown_code, is_harmless_markdown
from genre_model.specs import policy_in_words
from storage.store import Store
from tasks.comparing.former_evaluations import PREDICTIONS_FILE
from tasks.labelled import LabelledFeatures

REPORT_FILE, MARKDOWN_FILE = "report.html", "report.md"


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


def write_report(
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
    """Write report, pictures and predictions of an evaluation into a folder."""
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
