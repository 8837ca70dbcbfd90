"""The flow `full-run`: features, training, evaluation, one after the other."""

from __future__ import annotations

import time
from typing import Any

from prefect import flow, get_run_logger, tags
from prefect.runtime import flow_run

from flows.build_features import build_features
from flows.dashboard.blocks import storage_options
from flows.data_options import MIN_TRACKS, GenreMapFile, LayoutName, MinTracks, SplitBy
from flows.engine.handover import check_deployment
from flows.engine.recipes import named_network, recipe_for
from flows.engine.starting_points import (
    catalogue_to_train_on,
    model_to_evaluate,
    refuse_useless,
)
from flows.evaluate_model import evaluate_model
from flows.options import (
    DATA,
    MAX_QUARANTINED,
    PRESET,
    PROMOTE,
    SPLIT_POLICY,
    START_AT,
    STORE,
    Catalogue,
    Epochs,
    MaxQuarantined,
    Model,
    Promote,
    RecipeOfTraining,
    Refresh,
    RetryQuarantined,
    RunData,
    RunNetwork,
    RunPreset,
    RunSeed,
    Scheduler,
    SplitPolicy,
    StartAt,
    StorageBlock,
    StoreAddress,
    Subset,
    TrainOn,
    Verify,
    Workers,
)
from flows.results import EvaluateResult, FeaturesResult, RunResult, TrainResult
from flows.train_model import train_or_hand_over
from genre_model.networks import usual_networks
from genre_model.printable import printable_name
from genre_model.recipe import Recipe
from storage.places.address import parse_location
from storage.places.options import StorageOptions
from storage.store import Store
from tasks.backbones.presets import preset_at, rows_of
from tasks.finding.asked_tracks import AskedTracks, asked_tracks, catalogue_options
from tasks.models import describe_model


def _run_name() -> str:
    given = flow_run.parameters
    if given["start_at"] == "evaluation":
        model = given["model"] or "the last model that fits"
        return printable_name(f"full run from evaluation on: {model}")
    data, preset = (option.or_default(given[option.name]) for option in (DATA, PRESET))
    named = named_network(given["network"], given.get("recipe"))
    network = named or usual_networks()[rows_of(preset)]
    if given["start_at"] == "training":
        data = given["catalogue"] or given["data"] or "the last catalogue"
    return printable_name(f"full run of {data}: {preset} features, {network} network")


@flow(name="full-run", flow_run_name=_run_name)
def full_run(
    data: RunData = None,
    store: StoreAddress = STORE.default,
    subset: Subset = None,
    layout: LayoutName = None,
    split_by: SplitBy = None,
    genre_map: GenreMapFile = None,
    min_tracks: MinTracks = MIN_TRACKS.default,
    preset: RunPreset = None,
    network: RunNetwork = None,
    seed: RunSeed = None,
    epochs: Epochs = None,
    recipe: RecipeOfTraining = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
    refresh: Refresh = False,
    verify: Verify = False,
    retry_quarantined: RetryQuarantined = False,
    max_quarantined: MaxQuarantined = MAX_QUARANTINED.default,
    start_at: StartAt = START_AT.default,
    catalogue: Catalogue = None,
    split_policy: SplitPolicy = SPLIT_POLICY.default,
    model: Model = None,
    promote: Promote = PROMOTE.default,
    train_on: TrainOn = None,
    storage_block: StorageBlock = None,
) -> RunResult:
    """Do everything from audio to report; what is done already is found and not done again.

    The other parameters are those of `build_features`, `train_model` and `evaluate_model`.

    Parameters
    ----------
    data, preset, network, seed : optional
        By default those of `build_features` and `train_model`; a run that starts later goes on
        with what fits those that are given.
    start_at : str
        `training` goes on with a catalogue and its features in the store, `evaluation` with a
        model; `refresh` then forces the stages from there on.
    catalogue : str, optional
        With `start_at` training: its id; by default that of `data` and `subset`, where given, else
        the newest.
    model : str, optional
        With `start_at` evaluation: its id; by default the newest (of `preset`, `network` and
        `seed`, where given).
    train_on : str, optional
        Deployment that trains, as `train-model/train-model`; by default this process does.

    Raises
    ------
    UsageError
        If a catalogue, a model or a training's recipe is given where the run makes its own, or
        needs none.
    """
    began = time.monotonic()
    asked = recipe or Recipe()
    of_training = recipe if asked.says_of_training else None
    named = {"catalogue": catalogue, "model": model, "recipe": of_training}
    refuse_useless(start_at, [name for name, value in named.items() if value is not None])
    tracks = asked_tracks(subset, layout, split_by, genre_map, min_tracks)
    options, makes = storage_options(storage_block), PRESET.or_default(preset)
    shared: Any = {"refresh": refresh, "storage_block": storage_block}
    if start_at != "evaluation":  # refused before anything is written
        frontend = preset_at(parse_location(store, options), makes)
        recipe_for(frontend, recipe=recipe, network=network, seed=seed, epochs=epochs)
    if start_at == "features" and train_on is not None:
        check_deployment(train_on)
    # Its stages have no deployment: by its tags automations know that they belong to this project.
    with tags(*flow_run.tags):
        features = None
        if start_at == "features":
            features = build_features(
                data=DATA.or_default(data),
                store=store,
                **tracks,
                preset=makes,
                workers=workers,
                scheduler=scheduler,
                verify=verify,
                retry_quarantined=retry_quarantined,
                max_quarantined=max_quarantined,
                **shared,
            )
            catalogue = features.catalogue
        kept = Store.open(store, options)
        if start_at == "evaluation":
            name = model_to_evaluate(kept, model=model, preset=preset, network=network, seed=seed)
            trained = TrainResult(facts=describe_model(kept, name), reused=True, seconds=0.0)
        else:
            trained = train_or_hand_over(
                kept,
                train_on=train_on,
                catalogue=_catalogue_of(kept, catalogue, data, tracks, options),
                preset=makes,
                network=network,
                seed=seed,
                epochs=epochs,
                recipe=recipe,
                split_policy=split_policy,
                **shared,
            )
        evaluation = evaluate_model(
            store=store,
            model=trained.facts.model,
            split=asked.evaluation.split,
            promote=promote,
            **shared,
        )
    _log_in_short(features, trained, evaluation)
    return _result(kept, features, trained, evaluation, began=began)


def _result(
    store: Store,
    features: FeaturesResult | None,
    model: TrainResult,
    evaluation: EvaluateResult,
    *,
    began: float,
) -> RunResult:
    return RunResult(
        store=store.uri,
        # a catalogue may have been written for another copy of the same folder
        data=features.data if features else _data_of(store, model),
        catalogue=model.facts.catalogue,
        features=features,
        model=model,
        evaluation=evaluation,
        report=evaluation.report,
        seconds=round(time.monotonic() - began, 3),
    )


def _catalogue_of(
    store: Store,
    catalogue: str | None,
    data: str | None,
    tracks: AskedTracks,
    storage: StorageOptions | None,
) -> str:
    """Name the catalogue that is trained on: the one named, or that of the data."""
    wanted = catalogue_options(**tracks, storage=storage)
    return catalogue_to_train_on(
        store, catalogue=catalogue, data=data, wanted=wanted, options=storage
    )


def _data_of(store: Store, model: TrainResult) -> str:
    return str(store.catalogues.read(model.facts.catalogue).attrs["data"])


def _log_in_short(
    features: FeaturesResult | None, model: TrainResult, evaluation: EvaluateResult
) -> None:
    """Say on this run's own page what its stages say on theirs."""
    logger = get_run_logger()
    if features is not None:
        counts = features.counts
        logger.info(
            "features: %d written, %d reused, %d quarantined of %d tracks",
            *(counts.written, counts.reused, counts.quarantined, counts.tracks),
        )
    logger.info("model: %s%s", model.facts.model, ", found" if model.reused else ", trained")
    logger.info(
        "evaluation: track accuracy %.1f %%; report %s",
        100 * evaluation.evaluation.metrics.track_accuracy,
        evaluation.report,
    )
