"""Write the card of a model, beside what it is about."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from genre_model.data.catalogue import count_licences
from genre_model.judging.card import CARD_FILE, Card
from genre_model.judging.evaluation import WindowPredictions, evaluate
from genre_model.judging.judgement import Judgement
from genre_model.judging.leaks import Leaks
from genre_model.judging.metrics import Metrics
from genre_model.learning.opening.params import PARAMS_FILE
from storage.models import Json
from tasks.comparing.leaks import leaks_of
from tasks.labelled import LabelledFeatures


def measure_predictions(
    predictions: WindowPredictions, data: LabelledFeatures, judgement: Judgement
) -> Metrics:
    """Measure the predictions of some of the data's tracks, with intervals over its artists."""
    training = data.rows.loc[data.rows["split"] == "training", "label"].to_numpy(np.int64)
    return evaluate(
        predictions,
        genres=data.genres,
        training_labels=training,
        judgement=judgement,
        artists=data.artists_of(predictions.tracks().track_ids),
    )


def write_first_card(folder: Path, data: LabelledFeatures, validation: WindowPredictions) -> None:
    """Write the card of a model that was just trained, into its folder: it knows validation."""
    params: Json = json.loads((folder / PARAMS_FILE).read_text(encoding="utf-8"))
    metrics = measure_predictions(validation, data, Judgement.from_params(params))
    leaks = leaks_of(data, split="validation")
    write_card(folder, data, params=params, metrics=metrics, split="validation", leaks=leaks)


def write_card(
    folder: Path,
    data: LabelledFeatures,
    *,
    params: Json,
    metrics: Metrics,
    split: str,
    leaks: Leaks,
) -> None:
    """Write a model's card with the figures of a split."""
    card = Card(
        params={"tracks": data.counts(), **params},
        metrics=metrics,
        split=split,
        data_set=data.features.data_set,
        licences=count_licences(data.tracks),
        remarks=data.told,
        leaks=leaks,
        window_seconds=data.spec.window_length_seconds,
    )
    (folder / CARD_FILE).write_text(card.markdown(), encoding="utf-8")
