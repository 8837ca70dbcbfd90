"""What a run that starts later goes on with: the newest of the store, or what is named."""

from __future__ import annotations

from typing import Literal

from flows.engine.data import BUILT_IN
from storage.places.address import parse_location
from storage.store import Store
from tasks.models import choose_model

Stage = Literal["features", "training", "evaluation"]
STAGES: tuple[Stage, ...] = ("features", "training", "evaluation")
_DEFAULT = "default"


def catalogue_to_train_on(store: Store, *, catalogue: str | None, data: str) -> str:
    """Choose the catalogue of a run that starts at `training`.

    Parameters
    ----------
    store : Store
    catalogue : str, optional
        An id.
    data : str
        Else the newest one of this data folder; of any if it is the built-in data set, which is
        what it is when none was named.

    Raises
    ------
    NotFound
        If there is none.
    """
    if catalogue is None:
        return store.catalogues.newest(data=None if data == BUILT_IN else parse_location(data).uri)
    store.catalogues.read(catalogue)
    return catalogue


def model_to_evaluate(
    store: Store, *, model: str | None, preset: str, network: str, seed: int
) -> str:
    """Choose the model of a run that starts at `evaluation`.

    Parameters
    ----------
    store : Store
    model : str, optional
        An id.
    preset, network, seed
        Else the newest one made with these, where they differ from their defaults.

    Raises
    ------
    NotFound
        If there is none.
    """
    if model is not None:
        return choose_model(store, model)
    return choose_model(
        store,
        preset=None if preset == _DEFAULT else preset,
        network=None if network == _DEFAULT else network,
        seed=seed or None,
    )
