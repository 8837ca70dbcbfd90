"""The flow `sweep`: one training for each of some settings and seeds, the best chosen of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import httpx
from prefect import flow, get_run_logger, tags
from prefect.exceptions import PrefectException
from prefect.runtime import flow_run

from flows.dashboard import artifacts
from flows.dashboard.blocks import storage_options
from flows.dashboard.sweep_board import SweepBoard
from flows.engine import progress
from flows.engine.addresses import store_address
from flows.engine.handover import check_deployment
from flows.engine.interrupts import is_interruption
from flows.engine.recipes import recipes_of_sweep
from flows.errors import SweepFailed, UsageError
from flows.evaluate_model import evaluate_model
from flows.model_results import SweepResult
from flows.options import (
    PRESET,
    SPLIT_POLICY,
    STORE,
    Catalogue,
    Epochs,
    Network,
    Preset,
    RecipeOfTraining,
    SplitPolicy,
    StorageBlock,
    StoreAddress,
    TrainOn,
    TrainSeed,
)
from flows.results import TrainResult
from flows.sweep_options import SEEDS, EvaluateBest, Seeds, Swept, Trials
from flows.train_model import train_or_hand_over
from genre_model.printable import printable_name
from genre_model.recipe import Recipe
from genre_model.sweeping import Trial, in_words
from storage.errors import StorageError
from storage.store import Store
from tasks.backbones.presets import find_preset
from tasks.comparing.leaderboard import leaderboard
from tasks.labelled import load_labelled
from tasks.sweeping import Sweep

_END_ALL = (StorageError, UsageError, PrefectException, httpx.HTTPError)
"""Faults that every other training would meet, too."""
_LINE = 80
"""Columns of a line of progress."""


def _run_name() -> str:
    given = flow_run.parameters
    swept = ", ".join(given["settings"] or {}) or "seeds"
    return printable_name(f"sweep of {swept} on {given['preset']} features")


@flow(name="sweep", flow_run_name=_run_name)
def sweep(
    store: StoreAddress = STORE.default,
    catalogue: Catalogue = None,
    preset: Preset = PRESET.default,
    network: Network = None,
    seed: TrainSeed = None,
    epochs: Epochs = None,
    recipe: RecipeOfTraining = None,
    settings: Swept = None,
    seeds: Seeds = SEEDS.default,
    trials: Trials = None,
    split_policy: SplitPolicy = SPLIT_POLICY.default,
    evaluate_best: EvaluateBest = False,
    train_on: TrainOn = None,
    storage_block: StorageBlock = None,
) -> SweepResult:
    """Train a model for each combination of settings and each seed; what exists is reused.

    The best is chosen on validation alone. A training that fails stops no other; the same sweep
    again goes on, and tries those anew.

    Parameters
    ----------
    store, catalogue, preset, network, seed, epochs, recipe, split_policy, storage_block
        As for `train_model`: what all trainings have in common.
    settings : dict, optional
        Setting of the recipe -> its values, of which all combinations are trained.
    seeds : int
        Trainings of each combination, with seeds counted up from `seed`.
    trials : int, optional
        Combinations that are drawn at random and trained; all by default.
    evaluate_best : bool
        Read the test split (or the recipe's), once, for the best.
    train_on : str, optional
        Deployment that trains, as `train-model/train-model`; by default this process does, one
        training after the other.

    Raises
    ------
    InvalidSpec
        If one of them could not be trained.
    SweepFailed
        If all of them failed.
    """
    began = time.monotonic()
    kept = Store.open(store_address(store), storage_options(storage_block))
    frontend = find_preset(kept, preset)
    drawn = recipes_of_sweep(
        frontend,
        recipe=recipe,
        network=network,
        seed=seed,
        epochs=epochs,
        settings=settings or {},
        seeds=seeds,
        trials=trials,
    )
    if train_on is not None:
        check_deployment(train_on)
    data = load_labelled(kept, frontend, catalogue_id=catalogue, split_policy=split_policy)
    data.check_trainable()
    planned = Sweep.planned(data, drawn)

    def train(trial: Trial) -> TrainResult:
        return train_or_hand_over(
            kept,
            train_on=train_on,
            catalogue=data.catalogue_id,
            preset=preset,
            network=None,
            seed=None,
            epochs=None,
            recipe=trial.recipe,
            split_policy=split_policy,
            storage_block=storage_block,
        )

    # Its trainings have no deployment here: by its tags they are known as this project's.
    with tags(*flow_run.tags), kept.claim(kept.sweeps.claim_name(planned.id), say=progress.say):
        swept = _train_all(kept, planned, drawn, train)
        best = _best(swept.sweep)
        evaluation = None
        if evaluate_best:
            evaluation = evaluate_model(
                store=kept.uri,
                model=best,
                split=(recipe or Recipe()).evaluation.split,
                storage_block=storage_block,
            )
        else:
            artifacts.models(leaderboard(kept.models))
    return SweepResult(
        store=kept.uri,
        catalogue=data.catalogue_id,
        sweep=swept.sweep,
        reused=swept.reused,
        evaluation=evaluation,
        seconds=round(time.monotonic() - began, 3),
    )


@dataclass(frozen=True)
class _Swept:
    sweep: Sweep
    reused: int


def _train_all(
    store: Store, sweep: Sweep, trials: tuple[Trial, ...], train: Callable[[Trial], TrainResult]
) -> _Swept:
    """Train one after the other; table and artifact are as far as the sweep is."""
    logger, board, table = get_run_logger(), SweepBoard(), store.sweeps.table(sweep.id)
    sweep, reused = sweep.found(store), 0
    for place, trial in enumerate(trials):
        table.write(sweep.to_frame())
        board.show(sweep)
        model = sweep.trainings[place].model
        said = f"training {place + 1} of {len(trials)}: {model}, {trial.words}, seed {trial.seed}"
        progress.say(said if len(said) <= _LINE else f"{said[: _LINE - 1]}…")
        try:
            trained = train(trial)
        except _END_ALL:
            raise
        except Exception as error:
            if is_interruption(error):
                raise
            logger.warning("%s (%s) failed: %s", model, trial.words, error)
            sweep = sweep.failed(place, f"{type(error).__name__}: {error}")
        else:
            reused += trained.reused
            sweep = sweep.done(place, trained.facts)
    table.write(sweep.to_frame())
    board.show(sweep)
    logger.info("%s: %s", sweep.id, sweep.progress)
    return _Swept(sweep, reused)


def _best(sweep: Sweep) -> str:
    best = sweep.best
    if best is None:
        first = sweep.trainings[0]
        raise SweepFailed(
            f"all {len(sweep.trainings)} trainings of {sweep.id} failed, the first of them "
            f"({in_words(first.settings)}, seed {first.seed}) with {first.detail}"
        )
    return best.model
