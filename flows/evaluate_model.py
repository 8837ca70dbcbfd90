"""The flow `evaluate-model`: a model and a split → metrics, plots, report, champion."""

from __future__ import annotations

import time

from prefect import flow, get_run_logger
from prefect.runtime import flow_run

from flows.dashboard import artifacts
from flows.dashboard.blocks import storage_options
from flows.engine import progress
from flows.engine.addresses import store_address
from flows.engine.quoting import quoted
from flows.options import (
    PROMOTE,
    PROMOTIONS,
    SPLIT,
    STORE,
    Model,
    Promote,
    Refresh,
    Split,
    StorageBlock,
    StoreAddress,
)
from flows.results import EvaluateResult
from genre_model.recipe import EvaluateSpec
from genre_model.shown import shown_name
from storage.store import Store
from tasks.comparing.choosing import promote_if_better
from tasks.comparing.leaderboard import leaderboard
from tasks.evaluation import evaluate_network, read_markdown, report_address
from tasks.models import choose_model


def _run_name() -> str:
    given = flow_run.parameters
    return shown_name(f"evaluate {given['model'] or 'the last model'} on {given['split']}")


@flow(name="evaluate-model", flow_run_name=_run_name)
def evaluate_model(
    store: StoreAddress = STORE.default,
    model: Model = None,
    split: Split = SPLIT.default,
    promote: Promote = PROMOTE.default,
    refresh: Refresh = False,
    storage_block: StorageBlock = None,
) -> EvaluateResult:
    """Evaluate a model and publish its report; the first one evaluated becomes the champion.

    Parameters
    ----------
    store : str
        Folder or s3:// address.
    model : str, optional
        Its id; by default the model that was trained last.
    split : str
        Whose tracks are predicted.
    promote : str
        `better` makes the model the champion if it got more validation tracks of the same
        catalogue right than the champion did.
    refresh : bool
        Evaluate again though it is done.
    storage_block : str, optional
        Prefect block with the options of s3:// addresses; see `flows.dashboard.blocks`.
    """
    began = time.monotonic()
    kept = Store.open(store_address(store), storage_options(storage_block))
    name = choose_model(kept, model)
    found = evaluate_network(
        kept, name, EvaluateSpec(split=split), refresh=refresh, say=quoted(progress.say)
    )
    report = report_address(kept, name, split)
    get_run_logger().info(
        "%s on %s: track accuracy %.1f %% of %d, window accuracy %.1f %%; report %s",
        name,
        split,
        100 * found.metrics.track_accuracy,
        found.metrics.tracks,
        100 * found.metrics.window_accuracy,
        report,
    )
    artifacts.evaluation(
        read_markdown(kept, name, split),
        found,
        report=report,
        model_folder=kept.models.location(name).uri,
    )
    remark = ""
    if promote != PROMOTIONS[0]:
        remark = promote_if_better(kept.models, name)
        get_run_logger().info(remark)
    artifacts.models(leaderboard(kept.models))
    return EvaluateResult(
        evaluation=found,
        report=report,
        champion=kept.models.champion(),
        remark=remark,
        seconds=round(time.monotonic() - began, 3),
    )
