"""The flow `train-model`: features and labels → a network in the store."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from prefect import flow, get_run_logger
from prefect.runtime import flow_run

from flows.dashboard.blocks import storage_options
from flows.dashboard.training_watch import TrainingWatch
from flows.engine import progress
from flows.engine.addresses import store_address
from flows.engine.handover import run_elsewhere
from flows.engine.quoting import quoted
from flows.engine.recipes import named_network, named_seed, recipe_for
from flows.options import (
    PRESET,
    SPLIT_POLICY,
    STORE,
    Catalogue,
    Epochs,
    Network,
    Preset,
    RecipeOfTraining,
    Refresh,
    SplitPolicy,
    StorageBlock,
    StoreAddress,
    TrainSeed,
)
from flows.results import TrainResult
from genre_model.networks import is_fitted, usual_networks
from genre_model.recipe import Recipe
from storage.store import Store
from tasks.backbones.presets import find_preset, rows_of
from tasks.labelled import load_labelled
from tasks.models import ModelFacts, describe_model
from tasks.training import identify_model, read_history, train_network


def _run_name() -> str:
    given = flow_run.parameters
    named = named_network(given["network"], given.get("recipe"))
    network = named or usual_networks()[rows_of(given["preset"])]
    seed = named_seed(given["seed"], given.get("recipe"))
    return f"train {network} on {given['preset']} features, seed {seed}"


@flow(name="train-model", flow_run_name=_run_name)
def train_model(
    store: StoreAddress = STORE.default,
    catalogue: Catalogue = None,
    preset: Preset = PRESET.default,
    network: Network = None,
    seed: TrainSeed = None,
    epochs: Epochs = None,
    recipe: RecipeOfTraining = None,
    split_policy: SplitPolicy = SPLIT_POLICY.default,
    refresh: Refresh = False,
    storage_block: StorageBlock = None,
) -> TrainResult:
    """Train a network on features in the store, unless that very model is there.

    Parameters
    ----------
    store : str
        Folder or s3:// address.
    catalogue : str, optional
        Whose labels and splits; by default the catalogue that was written last.
    preset : str
        Feature preset.
    network : str, optional
        Which network; by default the usual one for the preset's rows.
    seed : int, optional
        Source of every random draw.
    epochs : int, optional
        Epochs at most. A network that is fitted has none.
    recipe : Recipe, optional
        All else that can be said of a training; `network`, `seed` and `epochs` win over it.
    split_policy : str
        `components` leaves out of training what shares artists or albums, by however long a chain,
        with validation or test; `random` deals all tracks to the splits anew, which is leaky.
    refresh : bool
        Train again though the model is there.
    storage_block : str, optional
        Prefect block with the options of s3:// addresses; see `flows.dashboard.blocks`.
    """
    began = time.monotonic()
    kept = Store.open(store_address(store), storage_options(storage_block))
    frontend = find_preset(kept, preset)
    model, augmentation, spec = recipe_for(
        frontend, recipe=recipe, network=network, seed=seed, epochs=epochs
    )
    data = load_labelled(kept, frontend, catalogue_id=catalogue, split_policy=split_policy)
    logger = get_run_logger()
    watch = TrainingWatch(f"{model.network} on {frontend.name} features", log=logger.info)
    with progress.stage("training", total=spec.epochs, unit="epochs") as show:

        def on_epoch(number: int, most: int, history: Sequence[Mapping[str, float]]) -> None:
            show(number, progress_note(history[-1]))
            watch.epoch(number, most, history)

        facts, is_reused = train_network(
            kept,
            quoted(data),
            model,
            spec,
            augmentation=augmentation,
            evaluation=recipe.evaluation if recipe else None,
            refresh=refresh,
            on_epoch=quoted(on_epoch),
            say=quoted(progress.say),
        )
        if not is_reused and not is_fitted(model.network) and facts.epochs < spec.epochs:
            show(facts.epochs, stopped_note(facts))
    logger.info(
        "%s: %s after %d epochs on %s, of which epoch %d is kept, validation track accuracy "
        "%.1f %%, waited for data: %s",
        facts.model,
        "found" if is_reused else "trained",
        facts.epochs,
        facts.device,
        facts.best_epoch,
        100 * facts.validation_track_accuracy,
        facts.waited_for_data,
    )
    if not is_reused:
        watch.end(read_history(kept.models, facts.model), facts, most=spec.epochs)
    return TrainResult(facts=facts, reused=is_reused, seconds=round(time.monotonic() - began, 3))


def progress_note(line: Mapping[str, float]) -> str:
    """Say what an epoch came to in the rest of a line of 80 columns."""
    return (
        f"loss {line['loss']:.3f}, tracks {line['validation_track_accuracy']:.1%}, "
        f"{line['windows_per_second']:,.0f} windows/s"
    )


def stopped_note(facts: ModelFacts) -> str:
    """Say in the rest of a line of 80 columns that a training stopped early, and what is kept."""
    return f"stopped early, kept epoch {facts.best_epoch} ({facts.validation_track_accuracy:.1%})"


def train_or_hand_over(
    store: Store,
    *,
    train_on: str | None,
    storage_block: str | None,
    recipe: Recipe | None,
    refresh: bool = False,
    **what: Any,
) -> TrainResult:
    """Train in a run of its own: here, or on a deployment what is not there yet.

    Parameters
    ----------
    store : Store
    train_on : str, optional
        The deployment, as `train-model/train-model`.
    storage_block, recipe, refresh
        As for `train_model`.
    **what
        The other parameters of `train_model`.

    Raises
    ------
    ChildFailed
        If the deployment's run did not complete.
    """
    began = time.monotonic()
    name = name_model(store, recipe=recipe, **what) if train_on else ""
    where = {"store": store.uri, "storage_block": storage_block}
    parameters = {**where, "refresh": refresh, "recipe": recipe, **what}
    if train_on is None or (store.models.exists(name) and not refresh):
        found: TrainResult = train_model(**parameters)
        return found
    run_elsewhere(train_on, {**parameters, "recipe": recipe.to_dict() if recipe else None})
    seconds = round(time.monotonic() - began, 3)
    return TrainResult(facts=describe_model(store, name), reused=False, seconds=seconds)


def name_model(
    store: Store,
    *,
    catalogue: str | None,
    preset: str,
    network: str | None,
    seed: int | None,
    epochs: int | None,
    recipe: Recipe | None,
    split_policy: str = SPLIT_POLICY.default,
) -> str:
    """Name the model that `train_model` makes or finds with these parameters."""
    frontend = find_preset(store, preset)
    data = load_labelled(store, frontend, catalogue_id=catalogue, split_policy=split_policy)
    model, augmentation, spec = recipe_for(
        frontend, recipe=recipe, network=network, seed=seed, epochs=epochs
    )
    return identify_model(data, model, spec, augmentation=augmentation)
