"""The flow `predict-tracks`: a model and a folder of audio files → a table of predictions."""

from __future__ import annotations

import time
from typing import Any

from prefect import flow, get_run_logger

from flows.dashboard import artifacts
from flows.dashboard.blocks import storage_options
from flows.engine import progress
from flows.engine.data import folder_location, store_address
from flows.options import STORE, Folder, Predicting, Refresh, StorageBlock, Store
from storage.array.layout import open_store
from tasks.predicted_folder import predict_folder
from tasks.quoting import opaque


@flow(name="predict-tracks", flow_run_name="predict {folder}")
def predict_tracks(
    folder: Folder,
    store: Store = STORE.default,
    model: Predicting = None,
    refresh: Refresh = False,
    storage_block: StorageBlock = None,
) -> dict[str, Any]:
    """Name the genre of a folder's audio files that are new or changed since the last run.

    Parameters
    ----------
    folder : str
        Folder or s3:// address; folders below it are looked into too.
    store : str
        Folder or s3:// address that the model is in; the table of predictions goes there.
    model : str, optional
        Its id; by default the champion.
    refresh : bool
        Predict every file again.
    storage_block : str, optional
        Prefect block with the options of s3:// addresses; see `flows.dashboard.blocks`.

    Returns
    -------
    dict
        As `tasks.predicted_folder.predict_folder`, without the lines, and `seconds`.
    """
    began = time.monotonic()
    log = get_run_logger()
    options = storage_options(storage_block)
    audio, root = folder_location(folder, options), open_store(store_address(store), options)

    def files_done(done: int, total: int) -> None:
        if done % 100 == 0 or done == total:
            log.info("%d of %d new files", done, total)

    result = predict_folder(
        root,
        audio,
        model=model,
        refresh=refresh,
        files_done=opaque(files_done),
        say=opaque(progress.say),
    )
    lines = result.pop("predictions")
    log.info(
        "%s: %d files predicted, %d known before, %s",
        result["model"],
        result["predicted"],
        result["reused"],
        result["statuses"],
    )
    artifacts.predictions(lines, result)
    return {**result, "seconds": round(time.monotonic() - began, 3)}
