"""What is refused before anything starts: Prefect's temporary server alone takes ten seconds.

Each check is the one that the flow itself makes; none of them imports Prefect, and only that of a
cluster which is named imports Dask.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flows.engine.cluster import check_cluster
from flows.options import DATA, PRESET
from genre_model import frontends
from genre_model.data.built_in import BUILT_IN
from storage.errors import NotFound
from storage.places.address import parse_location

if TYPE_CHECKING:
    from storage.store import Store


def check_features(
    *,
    data: str,
    store: str,
    subset: str | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
    **_others: Any,
) -> None:
    """Refuse options with which the feature stage cannot begin.

    Raises
    ------
    UsageError, GenreModelError, StorageError
        With the sentence of the flow.
    """
    check_cluster(workers=workers, scheduler=scheduler)
    _check_data(data, subset=subset)
    try:
        _open(store)
    except NotFound:
        return  # it will be made


def check_training(
    *,
    store: str,
    preset: str,
    catalogue: str | None = None,
    data: str | None = None,
    subset: str | None = None,
    **_others: Any,
) -> None:
    """Refuse options with which training cannot begin; `data` names a catalogue by its folder.

    Raises
    ------
    GenreModelError, StorageError
        With the sentence of the flow.
    """
    root = _open(store)
    if data is not None:
        _check_data(data, subset=subset)
        return
    from tasks.labelled import catalogue_and_array

    catalogue_and_array(root, frontends.preset(preset), catalogue_id=catalogue)


def check_run(
    *, start_at: str, data: str | None, store: str, preset: str | None, **options: Any
) -> None:
    """Refuse options with which a full run cannot begin at the stage `start_at`.

    Raises
    ------
    UsageError, GenreModelError, StorageError
        With the sentence of the flow.
    """
    if start_at == "features":
        check_features(data=DATA.or_default(data), store=store, **options)
        return
    from flows.engine.starting_points import catalogue_to_train_on, model_to_evaluate

    root = _open(store)
    if start_at == "training":
        named = catalogue_to_train_on(root, catalogue=options["catalogue"], data=data)
        check_training(store=store, preset=PRESET.or_default(preset), catalogue=named)
    else:
        asked = {name: options[name] for name in ("model", "network", "seed")}
        model_to_evaluate(root, preset=preset, **asked)


def _check_data(data: str, *, subset: str | None) -> None:
    from flows.engine.addresses import demo_folder
    from flows.engine.built_in_data import check_demo_folder
    from tasks.data_folder import open_data_folder

    if data == BUILT_IN:
        check_demo_folder(demo_folder())
    else:
        open_data_folder(parse_location(data), subset=subset)


def _open(store: str) -> Store:
    # with pandas, which commands that orchestrate nothing do not need
    from storage.store import Store

    return Store.open(store)
