"""The flow `full-run`: features, training, evaluation, one after the other."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from typing import Any

from prefect import flow, get_run_logger

from flows.build_features import build_features
from flows.evaluate_model import evaluate_model
from flows.parameters import (
    Data,
    Epochs,
    MaxQuarantined,
    Network,
    Preset,
    Refresh,
    RetryQuarantined,
    Scheduler,
    Seed,
    Store,
    Subset,
    Verify,
    Workers,
)
from flows.train_model import train_model
from storage.locations import Location


@flow(name="full-run", flow_run_name="full run of {data}: {preset} features, {network} network")
def full_run(
    data: Data = "demo",
    store: Store = "./genre-store",
    subset: Subset = None,
    preset: Preset = "default",
    network: Network = "default",
    seed: Seed = 0,
    epochs: Epochs = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
    refresh: Refresh = False,
    verify: Verify = False,
    retry_quarantined: RetryQuarantined = False,
    max_quarantined: MaxQuarantined = 0.1,
) -> dict[str, Any]:
    """Do everything from audio to report; what is done already is found and not done again.

    The parameters are those of `build_features`, `train_model` and `evaluate_model`.

    Returns
    -------
    dict
        The JSON object of `genre run`.
    """
    began = time.monotonic()
    features = build_features(
        data=data,
        store=store,
        subset=subset,
        preset=preset,
        workers=workers,
        scheduler=scheduler,
        refresh=refresh,
        verify=verify,
        retry_quarantined=retry_quarantined,
        max_quarantined=max_quarantined,
    )
    model = train_model(
        store=store,
        catalogue=features["catalogue"],
        preset=preset,
        network=network,
        seed=seed,
        epochs=epochs,
        refresh=refresh,
    )
    evaluation = evaluate_model(store=store, model=model["model"], refresh=refresh)
    _log_in_short(features, model, evaluation)
    return {
        "store": Location.parse(store).uri,
        "data": features["data"],
        "catalogue": features["catalogue"],
        "features": features,
        "model": model,
        "evaluation": evaluation,
        "report": evaluation["report"],
        "seconds": round(time.monotonic() - began, 3),
    }


def _log_in_short(
    features: Mapping[str, Any], model: Mapping[str, Any], evaluation: Mapping[str, Any]
) -> None:
    """Say on this run's own page what its stages say on theirs."""
    logger = get_run_logger()
    counts = (features[name] for name in ("written", "reused", "quarantined", "tracks"))
    logger.info("features: %d written, %d reused, %d quarantined of %d tracks", *counts)
    logger.info("model: %s%s", model["model"], ", found" if model["reused"] else ", trained")
    logger.info(
        "evaluation: track accuracy %.1f %%; report %s",
        100 * evaluation["track_accuracy"],
        evaluation["report"],
    )


if __name__ == "__main__":
    from flows.cli import main

    main(["run", *sys.argv[1:]])
