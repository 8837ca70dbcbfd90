"""The flow `evaluate-model`: a model and a split → metrics, plots, report, champion."""

from __future__ import annotations

import time

from prefect import flow, get_run_logger
from prefect.runtime import flow_run

from flows.dashboard import artifacts
from flows.dashboard.blocks import storage_options
from flows.engine import progress
from flows.engine.addresses import store_address
from flows.engine.hearing.clips import disturbed_clips
from flows.engine.quoting import quoted
from flows.options import (
    PROMOTE,
    PROMOTIONS,
    SPLIT,
    STORE,
    Model,
    Promote,
    Refresh,
    Robustness,
    Scheduler,
    Split,
    StorageBlock,
    StoreAddress,
    Workers,
)
from flows.results import EvaluateResult
from genre_model.printable import printable, printable_name
from genre_model.recipe import EvaluateSpec
from storage.places.options import StorageOptions
from storage.store import Store
from tasks.comparing.choosing import promote_if_better
from tasks.comparing.leaderboard import leaderboard
from tasks.comparing.robustness import Heard, clips_of, join_heard
from tasks.evaluated.report import read_markdown, report_address
from tasks.evaluation import evaluate_network, is_robustness_known, trained_on
from tasks.models import choose_model


def _run_name() -> str:
    given = flow_run.parameters
    return printable_name(f"evaluate {given['model'] or 'the last model'} on {given['split']}")


@flow(name="evaluate-model", flow_run_name=_run_name)
def evaluate_model(
    store: StoreAddress = STORE.default,
    model: Model = None,
    split: Split = SPLIT.default,
    promote: Promote = PROMOTE.default,
    robustness: Robustness = False,
    workers: Workers = None,
    scheduler: Scheduler = None,
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
    robustness : bool
        Have the split's clips heard disturbed, too; the split is read once more for it.
    workers : int, optional
        Local Dask workers that hear them; one a core by default.
    scheduler : str, optional
        Dask scheduler that is joined instead; its workers must see the model and the clips.
    refresh : bool
        Evaluate again though it is done.
    storage_block : str, optional
        Prefect block with the options of s3:// addresses; see `flows.dashboard.blocks`.
    """
    began = time.monotonic()
    kept = Store.open(store_address(store), storage_options(storage_block))
    name = choose_model(kept, model)
    disturbed = None
    if robustness and (refresh or not is_robustness_known(kept, name, split)):
        disturbed = _hear_disturbed(
            kept,
            name,
            split=split,
            workers=workers,
            scheduler=scheduler,
            options=storage_options(storage_block),
        )
    found = evaluate_network(
        kept,
        name,
        EvaluateSpec.from_dict({"split": split}),
        refresh=refresh,
        disturbed=quoted(disturbed),
        say=quoted(progress.say),
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


def _hear_disturbed(
    store: Store,
    model: str,
    *,
    split: str,
    workers: int | None,
    scheduler: str | None,
    options: StorageOptions | None,
) -> Heard:
    """Hear a split's clips as they are and disturbed, on Dask."""
    began, heard = time.monotonic(), []
    data = trained_on(store, model)
    clips = clips_of(data, split=split, options=options)
    folder, total = store.models.fetch(model), len(clips.tracks)
    with progress.stage("robustness", total=total, unit="tracks") as show:
        for clip in disturbed_clips(folder, clips, workers=workers, scheduler=scheduler):
            heard.append(clip)
            show(len(heard), "")
    joined, unheard = join_heard(heard, data, split=split)
    logger = get_run_logger()
    for sentence in unheard:
        logger.warning("%s", printable(sentence))
    seconds = time.monotonic() - began
    logger.info("robustness: %d clips, each in %d ways, in %.1f s", total, len(joined), seconds)
    return joined
