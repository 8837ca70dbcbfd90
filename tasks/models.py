"""Which model is meant, what it is, and opening it; imports no Prefect."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from genre_model.errors import ModelError
from genre_model.learning.opening.params import PARAMS_FILE, checked_params, stated_id
from storage.errors import Damaged, NotFound
from storage.models import Json, Models, check_model_folder
from storage.places.address import parse_location
from storage.places.options import StorageOptions
from storage.store import Store

if TYPE_CHECKING:
    from genre_model.predict import Predictor

_MADE_AGAIN = "`genre train` with its options makes the model again."


@dataclass(frozen=True, kw_only=True)
class ModelFacts:
    """What a published model is.

    Attributes
    ----------
    model, path : str
        Its id and its folder's address.
    network : str
    parameters, epochs, best_epoch : int
    catalogue : str
        Id of the catalogue whose labels and splits it was trained with.
    device : str
        What trained it.
    validation_track_accuracy, validation_window_accuracy : float [0 to 1]
        At its best epoch.
    stall_share : float [0 to 1]
        How much of the epochs' time went by waiting for shards.
    windows_per_second : float, optional
        Training windows, median of the epochs; None of models that were made before it was told.
    """

    model: str
    path: str
    network: str
    parameters: int
    epochs: int
    best_epoch: int
    catalogue: str
    device: str
    validation_track_accuracy: float
    validation_window_accuracy: float
    stall_share: float
    windows_per_second: float | None = None

    @property
    def waited_for_data(self) -> str:
        """Say how much of the epochs' time went by waiting for shards."""
        return f"{self.stall_share:.1%} of the time"

    @property
    def speed(self) -> str:
        """Say how quickly windows went through the network in training."""
        known = self.windows_per_second is not None
        return f"{self.windows_per_second:,.0f} windows/s" if known else "not told"

    def to_dict(self) -> dict[str, object]:
        """Return plain values, ready for JSON."""
        return dict(vars(self))


def choose_model(
    store: Store,
    model: str | None = None,
    *,
    preset: str | None = None,
    network: str | None = None,
    seed: int | None = None,
) -> str:
    """Return `model`, or the id of the model that was trained last.

    Parameters
    ----------
    store : Store
    model : str, optional
        An id.
    preset, network, seed
        What the model must have been made with, each if given.

    Raises
    ------
    NotFound
        If there is no such model.
    Damaged
        If it was there, and its network is gone.
    """
    models = store.models
    whole = readable_parameters(models, needed=model)
    if model is not None and model not in whole and (problems := models.problems(model)):
        raise Damaged(f"{problems[0].sentence} `{problems[0].mend}`, makes it again.")
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


def _fact(params: Json, key: str) -> object:
    if key != "preset":
        return params.get(key)
    features = params.get("features")
    return features.get("name") if isinstance(features, dict) else None


def read_parameters(models: Models, model: str) -> Json:
    """Read what a model was made of.

    Raises
    ------
    NotFound, Damaged
        If it is gone or unreadable; the sentence says what makes it again.
    ModelError
        If it holds what is no such value, as a name that leads out of its folder.
    """
    where = (models.location(model) / PARAMS_FILE).uri
    try:
        found = models.read_json(model, PARAMS_FILE)
    except NotFound:
        raise NotFound(f"{where} is gone; {_MADE_AGAIN}") from None
    except Damaged as error:
        raise Damaged(f"{str(error).removesuffix('.')}; {_MADE_AGAIN}") from error
    return checked_params(found, where=where)


def made_by(params: Json) -> object:
    """Return the recipe of a model's params.json but for the evaluation, which is no part of it.

    Models of before have none there.
    """
    recipe = params.get("recipe")
    if not isinstance(recipe, dict):
        return recipe
    return {name: table for name, table in recipe.items() if name != "evaluation"}


def readable_parameters(models: Models, *, needed: str | None = None) -> Mapping[str, Json]:
    """Read what all whole models were made of, leaving out those that do not tell.

    Raises
    ------
    NotFound, Damaged, ModelError
        If the one that is needed does not tell.
    """
    found = {}
    for name in (name for name, is_whole in models.list().items() if is_whole):
        try:
            found[name] = read_parameters(models, name)
        except (NotFound, Damaged, ModelError):
            if name == needed:
                raise
    return found


def describe_model(store: Store, model: str) -> ModelFacts:
    """Say what a published model is.

    Raises
    ------
    Damaged
        If its params.json does not tell.
    """
    params = read_parameters(store.models, model)
    own = [each for each in fields(ModelFacts) if each.name not in ("model", "path")]
    needed = [each.name for each in own if each.default is MISSING]
    if lacking := [name for name in needed if name not in params]:
        place = (store.models.location(model) / PARAMS_FILE).uri
        raise Damaged(f"{place} does not tell {lacking[0]!r}; train the model again.")
    path = store.models.location(model).uri
    told = {each.name: params[each.name] for each in own if each.name in params}
    return ModelFacts(model=model, path=path, **told)


def open_model(
    address: str | os.PathLike[str], *, storage_options: StorageOptions | None = None
) -> Predictor:
    """Open a model for prediction.

    Parameters
    ----------
    address : str or os.PathLike
        A store, of which the champion is taken, a model's folder, or its model.keras; each a
        folder or an `s3://` address.
    storage_options : Mapping, optional
        Of such an address; those of the environment by default.

    Returns
    -------
    Predictor

    Raises
    ------
    NotFound
        If there is no such model, or the store has no champion.
    ModelError
        If the model does not open.

    Examples
    --------
    >>> open_model("genre-store").predict("song.mp3").genre  # doctest: +SKIP
    'Folk'
    """
    from genre_model.predict import load_model

    return load_model(_model_at(os.fspath(address), storage_options))


def open_predictor(store: Store | str, model: str | None = None) -> tuple[str, Predictor]:
    """Open the champion of a store, or another model.

    Parameters
    ----------
    store : Store or str
        An address is opened only where it is needed.
    model : str, optional
        An id in the store, or a local folder with a model.

    Returns
    -------
    tuple[str, Predictor]
        The model's name (its id: `model_id_of`) and the model.

    Raises
    ------
    NotFound
        If there is no such model, or no champion yet.
    ModelError
        If the model does not open.
    """
    from genre_model.predict import load_model

    name, folder = model_folder(store, model)
    return name, load_model(folder)


def model_folder(store: Store | str, model: str | None = None) -> tuple[str, Path]:
    """Give a local folder with the champion of a store, or another model.

    Parameters
    ----------
    store, model
        As for `open_predictor`.

    Returns
    -------
    tuple[str, Path]
        The model's name, and its folder.

    Raises
    ------
    NotFound
        If there is no such model, or no champion yet.
    """
    if model is not None and Path(model).exists():
        check_model_folder(Path(model))
        path = Path(model)
        return model, path.parent if path.is_file() else path
    opened = store if isinstance(store, Store) else Store.open(store)
    name = model or _champion(opened)
    return name, opened.models.fetch(name)


def model_id_of(name: str) -> str:
    """Return the id of a model that was opened, wherever it lies and however that is written.

    Parameters
    ----------
    name : str
        As `open_predictor` returns it: an id in a store, or the path of a folder (as `.`) or of
        its model.keras.

    Returns
    -------
    str
        What the model itself says; else its folder's name with 8 hex digits of the path's hash,
        so that two folders of one name are two models.
    """
    path = Path(name)
    if not path.exists():
        return name
    folder = path.resolve().parent if path.is_file() else path.resolve()
    if (said := stated_id(folder)) is not None:
        return said
    return f"{folder.name or 'model'}-{sha256(str(folder).encode()).hexdigest()[:8]}"


def _model_at(address: str, options: StorageOptions | None) -> Path:
    """Give a local folder with the model that an address means."""
    local = parse_location(address, options).local_path
    if local is not None and not Store.is_at(local):
        check_model_folder(local)
        return local
    store, name = Store.of_model(address, options)
    return store.models.fetch(name or _champion(store))


def _champion(store: Store) -> str:
    name = store.models.champion()
    if name is None:
        raise NotFound(
            f"{store.uri} has no champion yet; run `genre run` or `genre evaluate` first"
        )
    return name
