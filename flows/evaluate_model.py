"""The flow `evaluate-model`: a model and a split → metrics, plots, report, champion."""

from __future__ import annotations

import sys
import time
from typing import Any

from prefect import flow, get_run_logger
from prefect.runtime import flow_run

from flows.dashboard import artifacts
from flows.dashboard.blocks import storage_options
from flows.engine.data import store_address
from flows.parameters import (
    Model,
    Refresh,
    Split,
    StorageBlock,
    Store,
)
from genre_model.recipe import EvaluateSpec
from storage.array.layout import open_store
from tasks.evaluation import evaluate_network, read_markdown
from tasks.models import choose_model


def _run_name() -> str:
    given = flow_run.parameters
    return f"evaluate {given['model'] or 'the last model'} on {given['split']}"


@flow(name="evaluate-model", flow_run_name=_run_name)
def evaluate_model(
    store: Store = "./genre-store",
    model: Model = None,
    split: Split = "test",
    refresh: Refresh = False,
    storage_block: StorageBlock = None,
) -> dict[str, Any]:
    """Evaluate a model and publish its report; the first one evaluated becomes the champion.

    Parameters
    ----------
    store : str
        Folder or s3:// address.
    model : str, optional
        Its id; by default the model that was trained last.
    split : str
        Whose tracks are predicted.
    refresh : bool
        Evaluate again though it is done.
    storage_block : str, optional
        Prefect block with the options of s3:// addresses; see `flows.dashboard.blocks`.

    Returns
    -------
    dict
        The JSON object of `genre evaluate`.
    """
    began = time.monotonic()
    root = open_store(store_address(store), storage_options(storage_block))
    name = choose_model(root, model)
    result = evaluate_network(root, name, EvaluateSpec(split=split), refresh=refresh)
    get_run_logger().info(
        "%s on %s: track accuracy %.1f %% of %d, window accuracy %.1f %%; report %s",
        name,
        split,
        100 * result["track_accuracy"],
        result["tracks"],
        100 * result["window_accuracy"],
        result["report"],
    )
    artifacts.evaluation(read_markdown(root, name, split), metrics=result)
    return {**result, "seconds": round(time.monotonic() - began, 3)}


if __name__ == "__main__":
    from flows.command.cli import main

    main(["evaluate", *sys.argv[1:]])
