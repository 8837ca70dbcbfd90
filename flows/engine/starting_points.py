"""What a run that starts later goes on with: the newest of the store, or what is named."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from flows.engine.addresses import demo_folder
from flows.errors import UsageError
from genre_model.data.built_in import BUILT_IN
from genre_model.data.folder import CatalogueOptions
from genre_model.errors import CatalogueError
from storage.errors import StorageError
from storage.places.address import parse_location
from storage.places.location import Location
from storage.places.options import StorageOptions
from storage.store import Store
from tasks.finding.data_folder import DEFAULTS
from tasks.models import choose_model

_OF_FEATURES = (
    "workers",
    "scheduler",
    "verify",
    "retry_quarantined",
    "max_quarantined",
)
_OF_TRACKS = ("data", "subset", "layout", "split_by", "genre_map", "min_tracks", "catalogue")
_OF_RECIPE = ("epochs", "recipe", "split_policy")
NO_USE: Mapping[str, frozenset[str]] = {
    "features": frozenset({"catalogue", "model"}),
    "training": frozenset({*_OF_FEATURES, "model"}),
    "evaluation": frozenset({*_OF_FEATURES, *_OF_RECIPE, *_OF_TRACKS}),
}
"""Stage -> parameters of a full run that mean nothing when it starts there."""
_PARTS = {"config": "recipe", "set": "recipe"}
"""The command's options that are parts of a parameter."""


def refuse_useless(start_at: str, said: Iterable[str]) -> None:
    """Refuse what was asked for and has no use in a run that starts at `start_at`.

    Parameters
    ----------
    start_at : str
        A stage.
    said : iterable of str
        The parameters that somebody gave a value on purpose.

    Raises
    ------
    UsageError
    """
    no_use = NO_USE[start_at]
    useless = ["--" + name.replace("_", "-") for name in said if _PARTS.get(name, name) in no_use]
    if useless:
        has, it = ("has", "it") if len(useless) == 1 else ("have", "them")
        raise UsageError(
            f"{' and '.join(useless)} {has} no use with --start-at {start_at}; leave {it} out, or "
            "start at another stage"
        )


def catalogue_to_train_on(
    store: Store,
    *,
    catalogue: str | None,
    data: str | None,
    wanted: CatalogueOptions = DEFAULTS,
    options: StorageOptions | None = None,
) -> str:
    """Choose the catalogue of a run that starts at `training`.

    Parameters
    ----------
    store : Store
    catalogue : str, optional
        An id.
    data : str, optional
        Else the one that this data folder (or the built-in data set) gives now, wherever it was
        written from; if the store has not that one, or the folder is not there, the newest that
        was written from this address. Of any if nothing was said.
    wanted : CatalogueOptions
        Which tracks of the data; its subset also where no data is named.
    options : Mapping, optional
        Of an s3:// address; those of the environment by default.

    Raises
    ------
    NotFound
        If there is none.
    """
    if catalogue is not None:
        store.catalogues.read(catalogue)
        return catalogue
    if data is None:
        return store.catalogues.newest(subset=wanted.subset)
    place = parse_location(demo_folder() if data == BUILT_IN else data, options)
    found = _by_content(store, place, wanted)
    return found or store.catalogues.newest(data=place.uri, subset=wanted.subset)


def _by_content(store: Store, place: Location, wanted: CatalogueOptions) -> str | None:
    """Name the store's catalogue of what lies in a folder; None if it has none of it."""
    from tasks.catalogue import find_catalogue

    try:
        found = find_catalogue.fn(place, options=wanted, store=store.location).catalogue.id
    except (CatalogueError, StorageError):
        return None  # training reads no audio, so that the folder may be on another machine
    return found if found in store.catalogues.ids() else None


def model_to_evaluate(
    store: Store,
    *,
    model: str | None,
    preset: str | None,
    network: str | None,
    seed: int | None,
) -> str:
    """Choose the model of a run that starts at `evaluation`.

    Parameters
    ----------
    store : Store
    model : str, optional
        An id.
    preset, network, seed : optional
        What it must have been made with, each where it was said; the newest such one.

    Raises
    ------
    NotFound
        If there is none.
    """
    return choose_model(store, model, preset=preset, network=network, seed=seed)
