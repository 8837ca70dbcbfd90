"""Train a network on the rows of a catalogue, unless the store has that very model."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pandas as pd
from prefect import task
from prefect.cache_policies import NO_CACHE

from genre_model.errors import ModelError
from genre_model.frontends.log_mel import LogMel
from genre_model.judging.fitted_judgement import fit_judgement
from genre_model.learning.augmenting.rows import check_augmentation
from genre_model.learning.bundle import HISTORY_FILE, model_id
from genre_model.learning.opening.params import FORMAT
from genre_model.learning.pretrained import Pretrained
from genre_model.learning.saving import save_bundle
from genre_model.networks import check_network, is_fitted, is_pretrained
from genre_model.recipe import AugmentSpec, EvaluateSpec, ModelSpec, Recipe, TrainSpec
from genre_model.specs import TRAINING_VERSION
from storage.models import MODEL_FILE, Models
from storage.places.location import Location
from storage.places.temporary_folders import temporary_folder
from storage.store import Store
from tasks.backbones.presets import licence_texts_of, licences_of, weights_of
from tasks.labelled import LabelledFeatures
from tasks.model_card import write_first_card
from tasks.models import ModelFacts, describe_model, read_parameters
from tasks.native_stderr import captured_native_stderr

if TYPE_CHECKING:
    from genre_model.judging.evaluation import WindowPredictions
    from genre_model.learning.training_result import TrainingResult

OnEpoch = Callable[[int, int, Sequence[Mapping[str, float]]], None]
PLAIN = AugmentSpec()
"""Windows as they are."""


def identify_model(
    data: LabelledFeatures,
    model: ModelSpec,
    spec: TrainSpec,
    *,
    augmentation: AugmentSpec = PLAIN,
) -> str:
    """Name the model that these rows and specs make."""
    made_of = {
        "rows": data.digest(),
        "features": data.spec.digest(),
        "model": model.digest(),
        "training": spec.digest(),
        "version": TRAINING_VERSION,
    }
    if is_pretrained(model.network):
        made_of["weights"] = Pretrained.of(model).digest()
    if augmentation != PLAIN:  # what came later leaves the ids as they were
        made_of["augmentation"] = augmentation.digest()
    if is_fitted(model.network):  # its strength hangs on whose the tracks are
        made_of["artists"] = data.artists_digest()
    return model_id(model.network, made_of)


@task(
    name="train",
    task_run_name="train {model.network}, seed {spec.seed}",
    cache_policy=NO_CACHE,
)
def train_network(
    store: Store,
    data: LabelledFeatures,
    model: ModelSpec,
    spec: TrainSpec,
    *,
    augmentation: AugmentSpec = PLAIN,
    evaluation: EvaluateSpec | None = None,
    refresh: bool = False,
    on_epoch: OnEpoch | None = None,
    say: Callable[[str], None] | None = None,
) -> tuple[ModelFacts, bool]:
    """Train and publish a model, or find it published.

    Parameters
    ----------
    store : Store
    data : LabelledFeatures
    model : ModelSpec
    spec : TrainSpec
    augmentation : AugmentSpec
    evaluation : EvaluateSpec, optional
        What it is to be evaluated on: noted with the model, no part of its id.
    refresh : bool
        Train again though the model is there; what such a training was killed in is gone on from.
    on_epoch : callable, optional
        Called after each epoch with its number, the most there can be, and the history.
    say : callable, optional
        Called with a sentence: what is waited for, on which device, or that another process trains
        this very model.

    Returns
    -------
    tuple[ModelFacts, bool]
        What the model is, and whether it was there already.

    Raises
    ------
    InvalidSpec
        If the network does not take rows of these features.
    CatalogueError
        If there is too little to learn from.
    """
    recipe = Recipe(
        model=model,
        augmentation=augmentation,
        training=spec,
        evaluation=evaluation or EvaluateSpec(),
    )
    check_network(model.network, frontend=data.spec)
    check_augmentation(augmentation, frontend=data.spec, network=model.network)
    data.check_trainable()
    models = store.models
    name = identify_model(data, model, spec, augmentation=augmentation)
    weights, licences = weights_of(store, data.spec), licences_of(store, data.spec)
    if is_pretrained(model.network):
        licences.append(Pretrained.of(model).licence())
    texts = licence_texts_of(store, data.spec)
    with store.claim(models.claim_name(name), say=say):
        is_sound = _is_sound(models, name, say=say)
        reused = models.exists(name) and is_sound and not refresh
        if not reused:
            _train(
                models,
                name,
                data,
                recipe,
                weights=weights,
                licences=licences,
                licence_texts=texts,
                again=refresh or models.exists(name),
                on_epoch=on_epoch,
                say=say,
            )
    return describe_model(store, name), reused


def read_history(models: Models, model: str) -> pd.DataFrame:
    """Read a model's history, one line an epoch."""
    place = models.location(model) / HISTORY_FILE
    return pd.read_csv(BytesIO(place.read_bytes()))


def _is_sound(models: Models, name: str, *, say: Callable[[str], None] | None) -> bool:
    """Whether a model that is there is as it was published; one of an older version is sealed."""
    problems = models.problems(name)
    fault = problems[0].sentence if problems else ""
    if [each.what for each in problems] == ["model not sealed"]:
        fault = _fault_in_opening(models, name, say=say)
        if not fault:
            models.seal(name)
    if not fault and models.exists(name):
        fault = _fault_of_age(models, name)
    if fault and say is not None:
        say(f"{fault} The model is trained again.")
    return not fault


def _fault_of_age(models: Models, name: str) -> str:
    found = read_parameters(models, name).get("format")
    if found == FORMAT:
        return ""
    return f"{name} is of format {found}, and this version writes {FORMAT}."


def _fault_in_opening(models: Models, name: str, *, say: Callable[[str], None] | None) -> str:
    with captured_native_stderr(say):
        from genre_model.learning.bundle import load_bundle

    try:
        load_bundle(models.fetch(name)).network()
    except ModelError as error:
        return f"{error}."
    return ""


def _train(
    models: Models,
    name: str,
    data: LabelledFeatures,
    recipe: Recipe,
    *,
    weights: Sequence[Location],
    licences: Sequence[Mapping[str, str]],
    licence_texts: Mapping[str, str],
    again: bool,
    on_epoch: OnEpoch | None,
    say: Callable[[str], None] | None,
) -> None:
    with captured_native_stderr(say):
        from genre_model.learning.devices import training_device

        device = training_device()
    if say is not None:
        say(f"training on {device}")
        for sentence in data.remarks(recipe.training):
            say(sentence)
    began = time.monotonic()
    model, spec = recipe.model or ModelSpec(), recipe.training
    with temporary_folder("model") as staged:
        if is_fitted(model.network):
            result = _fit(data, model, spec, say=say)
        else:
            states = models.checkpoints(name, again=again)
            # what was published is sealed, its event file too
            watched = states if again else models.location(name)
            result = _train_in_epochs(
                data, recipe, states=states, watched=watched, on_epoch=on_epoch, say=say
            )
        validation = _predict_validation(data, result)
        save_bundle(
            staged / MODEL_FILE,
            model=result.model,
            history=result.history,
            genres=data.genres,
            features=data.spec,
            network=model.network,
            details={
                "id": name,
                "trained": datetime.now(UTC).isoformat(),
                "catalogue": data.catalogue_id,
                "data_set": data.features.data_set,
                "split_policy": data.split_policy,
                "rows_sha256": data.digest(),
                "tracks": data.counts(),
                "seed": spec.seed,
                "device": device,
                "recipe": recipe.to_dict(),
                "epochs": len(result.history),
                "best_epoch": result.best_epoch,
                "validation_track_accuracy": result.validation_track_accuracy,
                "validation_window_accuracy": result.validation_window_accuracy,
                **fit_judgement(validation).to_params(),
                "stall_share": round(result.stall_share, 4),
                "windows_per_second": round(result.windows_per_second, 1),
                "training_seconds": round(time.monotonic() - began, 3),
                **({} if result.search is None else {"search": result.search}),
                **({"licences": licences} if licences else {}),
            },
            weights=[each.read_bytes() for each in weights],
            licence_texts=licence_texts,
        )
        write_first_card(staged, data, validation)
        evaluated = models.withdraw(name)
        models.publish(staged, name)
    if say is not None:
        for split in evaluated:
            say(_evaluation_gone(name, split))


def _evaluation_gone(name: str, split: str) -> str:
    return (
        f"{name} was evaluated on the {split} split before it was trained again, and that "
        f"evaluation is gone; `genre evaluate --model {name} --split {split}` makes it anew"
    )


def _predict_validation(data: LabelledFeatures, result: TrainingResult) -> WindowPredictions:
    """Predict the tracks by which it is chosen how the model's windows are read."""
    from genre_model.learning.inference import predict_rows

    return predict_rows(
        result.model,
        data.split("validation"),
        data.features.read_shard,
        rows_per_shard=data.features.rows_per_shard,
    )


def _rows(data: LabelledFeatures) -> dict[str, Any]:
    """Say what every way of training asks for."""
    return {
        "training": data.split("training"),
        "validation": data.split("validation"),
        "read_shard": data.features.read_shard,
        "rows_per_shard": data.features.rows_per_shard,
        "classes": len(data.genres),
    }


def _train_in_epochs(
    data: LabelledFeatures,
    recipe: Recipe,
    *,
    states: Location,
    watched: Location,
    on_epoch: OnEpoch | None,
    say: Callable[[str], None] | None,
) -> TrainingResult:
    """Train in epochs; `states` is what outlasts a kill, and `watched` holds the event file."""
    with captured_native_stderr(say):
        from genre_model.learning.training import train
        from tasks.checkpoints import StoredCheckpoints
        from tasks.event_log import written_as_it_goes

    with temporary_folder("checkpoint") as scratch:
        result = train(
            **_rows(data),
            model=recipe.model,
            augmentation=recipe.augmentation,
            scale=data.spec.scale if isinstance(data.spec, LogMel) else None,
            spec=recipe.training,
            on_epoch=written_as_it_goes(watched, scratch=scratch, then=on_epoch),
            checkpoints=StoredCheckpoints(states, say=say, scratch=scratch),
            say=say,
        )
    if say is not None and len(result.history) < recipe.training.epochs:
        say(_stopped_early(result, recipe.training))
    return result


def _stopped_early(result: TrainingResult, spec: TrainSpec) -> str:
    return (
        f"stopped early, after epoch {len(result.history)} of {spec.epochs}: none of the last "
        f"{spec.patience} was better; epoch {result.best_epoch} is kept "
        f"({result.validation_track_accuracy:.1%} of validation tracks)"
    )


def _fit(
    data: LabelledFeatures, model: ModelSpec, spec: TrainSpec, *, say: Callable[[str], None] | None
) -> TrainingResult:
    with captured_native_stderr(say):
        from genre_model.learning.fitting import fit

    artists = data.artists(data.split("training"))
    return fit(**_rows(data), artists=artists, model=model, spec=spec, say=say)
