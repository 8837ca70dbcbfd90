"""The flow `predict-tracks`: a model and a folder of audio files → a table of predictions."""

from __future__ import annotations

import time

from prefect import flow, get_run_logger
from prefect.runtime import flow_run

from flows.dashboard import artifacts
from flows.dashboard.blocks import storage_options
from flows.engine import progress
from flows.engine.addresses import folder_location, store_address
from flows.engine.quoting import quoted
from flows.options import STORE, Folder, Predicting, Refresh, StorageBlock, StoreAddress
from flows.results import PredictFolderResult
from genre_model.printable import printable_name
from storage.store import Store
from tasks.predicting.folder import predict_folder


def _run_name() -> str:
    return printable_name(f"predict {flow_run.parameters['folder']}")


@flow(name="predict-tracks", flow_run_name=_run_name)
def predict_tracks(
    folder: Folder,
    store: StoreAddress = STORE.default,
    model: Predicting = None,
    refresh: Refresh = False,
    storage_block: StorageBlock = None,
) -> PredictFolderResult:
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
    """
    began = time.monotonic()
    log = get_run_logger()
    options = storage_options(storage_block)
    audio, kept = folder_location(folder, options), Store.open(store_address(store), options)

    def files_done(done: int, total: int) -> None:
        if done % 100 == 0 or done == total:
            log.info("%d of %d new files", done, total)

    def say(sentence: str) -> None:
        progress.show_line(sentence)
        log.warning("%s", sentence)

    found = predict_folder(
        kept,
        audio,
        model=model,
        refresh=refresh,
        files_done=quoted(files_done),
        say=quoted(say),
    )
    log.info(
        "%s: %d files predicted, %d known before, %s",
        *(found.model, found.predicted, found.reused, dict(found.statuses)),
    )
    artifacts.predictions(found)
    return PredictFolderResult(folder=found, seconds=round(time.monotonic() - began, 3))
