"""Evaluate a model on one split of its catalogue, and publish metrics, plots and report."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from prefect import task
from prefect.cache_policies import NO_CACHE

from genre_model.data.catalogue import count_licences
from genre_model.specs import EvaluateSpec, FeatureSpec
from storage.models import METRICS_FILE, ModelStore
from storage.places.location import Location
from tasks.former_evaluations import PREDICTIONS_FILE, former_evaluations, standing
from tasks.labelled import LabelledFeatures, load_labelled
from tasks.native_stderr import captured_native_stderr
from tasks.training import read_history

REPORT_FILE, MARKDOWN_FILE = "report.html", "report.md"


@task(name="evaluate", task_run_name="evaluate {model} on {spec.split}", cache_policy=NO_CACHE)
def evaluate_network(
    store: Location, model: str, spec: EvaluateSpec, *, refresh: bool = False
) -> dict[str, Any]:
    """Predict a split's tracks, and publish what the predictions are worth.

    Parameters
    ----------
    store : Location
    model : str
        Its id.
    spec : EvaluateSpec
        Which split.
    refresh : bool
        Evaluate again though it is done.

    Returns
    -------
    dict
        The content of metrics.json with `report`, the address of the page.

    Raises
    ------
    NotFound
        If the model, or what it was trained on, is not in the store.
    """
    models = ModelStore(store)
    found = None if refresh else models.metrics(model, split=spec.split)
    if found is None:
        data = _data_of(store, models.parameters(model))
        with tempfile.TemporaryDirectory(prefix="genre-evaluation-") as folder:
            found = _evaluate(models, model, data, spec, Path(folder))
            models.publish_evaluation(Path(folder), model, split=spec.split)
    models.set_champion_if_none(model)
    place = models.location(model) / "evaluation" / spec.split
    return {**found, "report": (place / REPORT_FILE).uri}


def read_markdown(store: Location, model: str, split: str) -> str:
    """Read the report as Markdown with its pictures inside."""
    place = ModelStore(store).location(model) / "evaluation" / split / MARKDOWN_FILE
    return place.read_bytes().decode()


def _data_of(store: Location, params: dict[str, Any]) -> LabelledFeatures:
    spec = FeatureSpec.from_dict(params["features"])
    return load_labelled(store, spec, catalogue_id=params["catalogue"])


def _evaluate(
    models: ModelStore, model: str, data: LabelledFeatures, spec: EvaluateSpec, folder: Path
) -> dict[str, Any]:
    from genre_model.judging.comparison import Evaluated, compare
    from genre_model.judging.evaluation import evaluate, track_table
    from genre_model.learning.inference import predict_rows

    with captured_native_stderr():
        from genre_model.learning.bundle import load_bundle

        bundle = load_bundle(models.fetch(model))
    predictions = predict_rows(bundle.model, data.split(spec.split), data.features.read_shard)
    training = data.rows.loc[data.rows["split"] == "training", "label"].to_numpy(np.int64)
    metrics = evaluate(predictions, genres=bundle.genres, training_labels=training)
    table = track_table(predictions, genres=bundle.genres).merge(
        data.tracks[["track_id", "title", "artist"]], on="track_id", how="left"
    )
    this = Evaluated(model=model, catalogue=data.catalogue_id, tracks=table)
    formers = former_evaluations(models, model, split=spec.split)
    comparisons = [compare(this, other, role=role) for role, other in formers]
    _write_report(
        folder,
        comparisons=comparisons,
        standing=standing(models, model, comparisons),
        metrics=metrics,
        table=table,
        history=read_history(models.store, model),
        params=bundle.params,
        data=data,
        split=spec.split,
    )
    figures = {
        "model": model,
        "split": spec.split,
        **metrics.to_dict(),
        "comparisons": [asdict(each) for each in comparisons],
        "evaluated": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    (folder / METRICS_FILE).write_text(json.dumps(figures, indent=1, ensure_ascii=False))
    return figures


def _write_report(
    folder: Path,
    *,
    comparisons: Sequence[Any],
    standing: str,
    metrics: Any,
    table: pd.DataFrame,
    history: pd.DataFrame,
    params: dict[str, Any],
    data: LabelledFeatures,
    split: str,
) -> None:
    from genre_model.judging.report import Report

    facts = ("network", "parameters", "epochs", "best_epoch", "device", "catalogue")
    report = Report(
        metrics=metrics,
        history=history,
        model=params["id"],
        split=split,
        best_epoch=params["best_epoch"],
        facts={name: params[name] for name in facts},
        specs={"Features": params["features"], "Training": params["train_spec"]},
        tracks_per_split=data.counts(),
        quarantined=data.refused,
        predictions=table,
        licences=count_licences(data.tracks),
        remarks=tuple(data.tracks.attrs.get("remarks", ())),
        standing=standing,
        comparisons=comparisons,
    )
    for name, png in report.pictures.items():
        (folder / name).write_bytes(png)
    table.to_parquet(folder / PREDICTIONS_FILE, index=False)
    (folder / REPORT_FILE).write_text(report.html(), encoding="utf-8")
    (folder / MARKDOWN_FILE).write_text(report.markdown(), encoding="utf-8")
