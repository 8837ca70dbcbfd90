"""What is refused before anything starts: Prefect's temporary server alone takes ten seconds.

Each check is the one that the flow itself makes; only that of a cluster which is named imports
Dask, and only what asks a data folder for its catalogue imports Prefect.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from flows.engine.cluster import check_cluster
from flows.options import DATA, PRESET
from genre_model.data.built_in import BUILT_IN
from storage.errors import Damaged, NotFound
from storage.places.address import parse_location

if TYPE_CHECKING:
    from flows.command.recipes import Asked
    from genre_model.data.folder import CatalogueOptions
    from genre_model.frontends import Frontend
    from storage.store import Store
    from tasks.catalogue import FoundCatalogue


class Completed(Protocol):
    """What a command line asks of a training, or of several."""

    def on(self, frontend: Frontend, /) -> object:
        """Complete it for the rows, or refuse it."""


def check_features(
    *,
    data: str,
    store: str,
    preset: str,
    wanted: CatalogueOptions,
    workers: int | None = None,
    scheduler: str | None = None,
    verify: bool = False,
    **_others: Any,
) -> None:
    """Refuse options with which the feature stage cannot begin.

    A damaged store.json is no reason where `verify` is to write it anew.

    Raises
    ------
    UsageError, GenreModelError, StorageError
        With the sentence of the flow.
    """
    check_cluster(workers=workers, scheduler=scheduler)
    frontend_of(store, preset)
    _check_data(data, wanted)
    try:
        _open(store)
    except NotFound:
        return  # it will be made
    except Damaged:
        if not verify:
            raise


def check_training(
    *,
    store: str,
    preset: str,
    asked: Completed,
    catalogue: str | None = None,
    subset: str | None = None,
    **_others: Any,
) -> str:
    """Refuse options with which training cannot begin, and name the catalogue that they mean.

    Raises
    ------
    GenreModelError, StorageError
        With the sentence of the flow.
    """
    from tasks.labelled import catalogue_and_array

    root = _open(store)
    spec = frontend_of(store, preset)
    asked.on(spec)
    named = catalogue or root.catalogues.newest(subset=subset)
    catalogue_and_array(root, spec, catalogue_id=named)
    return named


def catalogue_that_can_be_trained_on(
    data: str,
    wanted: CatalogueOptions,
    *,
    store: str,
    preset: str,
    asked: Completed,
    split_policy: str,
    **_others: Any,
) -> FoundCatalogue:
    """Find the catalogue of a data folder, of which nothing is written yet.

    Raises
    ------
    UsageError, GenreModelError, StorageError
        If there is none, or the store's features do not let it be trained on.
    """
    from flows.engine.addresses import data_location
    from tasks.catalogue import find_catalogue
    from tasks.labelled import label_with

    root = _open(store)
    spec = frontend_of(store, preset)
    asked.on(spec)
    _check_data(data, wanted)
    found = find_catalogue.fn(data_location(data), options=wanted, store=root.location)
    tracks = found.catalogue.tracks.copy()
    tracks.attrs.update(found.attributes)
    name = found.catalogue.id
    label_with(
        root, spec, catalogue_id=name, tracks=tracks, split_policy=split_policy
    ).check_trainable()
    return found


def check_run(
    *,
    start_at: str,
    data: str | None,
    store: str,
    preset: str | None,
    network: str | None,
    asked: Asked | None,
    **options: Any,
) -> None:
    """Refuse options with which a full run cannot begin at the stage `start_at`.

    Raises
    ------
    UsageError, GenreModelError, StorageError
        With the sentence of the flow.
    """
    makes = PRESET.or_default(preset)
    if start_at == "features" and asked is not None:
        asked.on(frontend_of(store, makes))
        check_features(data=DATA.or_default(data), store=store, preset=makes, **options)
        return
    from flows.engine.starting_points import catalogue_to_train_on, model_to_evaluate

    root = _open(store)
    if asked is not None:
        chosen = {name: options[name] for name in ("catalogue", "wanted")}
        named = catalogue_to_train_on(root, data=data, **chosen)
        check_training(store=store, catalogue=named, preset=makes, asked=asked)
    else:
        chosen = {name: options[name] for name in ("model", "seed")}
        model_to_evaluate(root, preset=preset, network=network, **chosen)


def _check_data(data: str, wanted: CatalogueOptions) -> None:
    from flows.engine.addresses import demo_folder
    from flows.engine.built_in_data import check_demo_folder
    from tasks.finding.data_folder import open_data_folder

    if data == BUILT_IN:
        check_demo_folder(demo_folder())
    else:
        open_data_folder(parse_location(data), options=wanted)


def frontend_of(store: str, name: str) -> Frontend:
    """Return the frontend of a preset, which may be a backbone of the store."""
    from tasks.backbones.presets import preset_at

    return preset_at(parse_location(store), name)


def _open(store: str) -> Store:
    # with pandas, which commands that orchestrate nothing do not need
    from storage.store import Store

    return Store.open(store)
