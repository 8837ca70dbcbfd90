"""Which model of a store is meant, and what it is; imports no Prefect."""

from __future__ import annotations

from typing import Any

from storage.errors import NotFound
from storage.models import ModelStore
from storage.places.location import Location

_FACTS = (
    "network",
    "parameters",
    "epochs",
    "best_epoch",
    "catalogue",
    "device",
    "validation_track_accuracy",
    "validation_window_accuracy",
    "stall_share",
)


def choose_model(
    store: Location,
    model: str | None = None,
    *,
    preset: str | None = None,
    network: str | None = None,
    seed: int | None = None,
) -> str:
    """Return `model`, or the id of the model that was trained last.

    Parameters
    ----------
    store : Location
    model : str, optional
        An id.
    preset, network, seed
        What the model must have been made with, each if given.

    Raises
    ------
    NotFound
        If there is no such model.
    """
    models = ModelStore(store)
    whole = {name: models.parameters(name) for name, is_whole in models.list().items() if is_whole}
    wanted = {"preset": preset, "network": network, "seed": seed, "id": model}
    given = {key: value for key, value in wanted.items() if value is not None}
    fitting = {
        name: params
        for name, params in whole.items()
        if all(_fact(params, key) == value for key, value in given.items())
    }
    if not fitting:
        asked = " of " + ", ".join(f"{k} {v!r}" for k, v in given.items()) if given else ""
        raise NotFound(
            f"{store.uri} has no model{asked} (there: {', '.join(whole) or 'none'}); "
            "run `genre train` first"
        )
    return max(fitting, key=lambda name: str(fitting[name].get("trained", "")))


def _fact(params: dict[str, Any], key: str) -> object:
    return params["features"]["name"] if key == "preset" else params.get(key)


def describe_model(store: Location, model: str) -> dict[str, Any]:
    """Return what a published model is: the JSON keys of `genre train` but for `seconds`.

    `reused` is True, as of one that was found; whoever trained it says otherwise. `stall_share`
    [0 to 1] is how much of the epochs' time went by waiting for shards.
    """
    models = ModelStore(store)
    params = models.parameters(model)
    return {
        "model": model,
        "path": models.location(model).uri,
        **{fact: params[fact] for fact in _FACTS},
        "reused": True,
    }
