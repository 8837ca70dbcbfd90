"""The recipe that is trained, or those of a sweep: what was asked for, on the rows there are."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from genre_model.errors import InvalidSpec
from genre_model.frontends import Frontend
from genre_model.learning.augmenting.rows import check_augmentation
from genre_model.networks import choose_network
from genre_model.recipe import AugmentSpec, ModelSpec, Recipe, TrainSpec
from genre_model.sweeping import Trial, plan_sweep

PARAMETERS: Mapping[str, str] = {
    "network": "model.network",
    "seed": "training.seed",
    "epochs": "training.epochs",
}
"""Parameters, and options of the command, that are settings, too."""


def recipe_for(
    frontend: Frontend,
    *,
    recipe: Recipe | None,
    network: str | None,
    seed: int | None,
    epochs: int | None,
    said: Collection[str] = (),
) -> tuple[ModelSpec, AugmentSpec, TrainSpec]:
    """Complete a recipe: with the parameters that win over it, and a network for the rows.

    Parameters
    ----------
    frontend : Frontend
        Whose rows are trained on.
    recipe : Recipe, optional
        All defaults otherwise.
    network, seed, epochs : optional
    said : collection of str
        Names of settings that were given on purpose, if only their default.

    Returns
    -------
    tuple[ModelSpec, AugmentSpec, TrainSpec]
        Which network is trained, on what, and how.

    Raises
    ------
    InvalidSpec
        If the network does not take the rows, or a setting is of no use to it.
    """
    asked = recipe or Recipe()
    given = {"seed": seed, "epochs": epochs}
    training = TrainSpec.from_dict(
        asked.training.to_dict() | {name: each for name, each in given.items() if each is not None}
    )
    model = asked.model or ModelSpec()
    named = asked.model.network if asked.model else None
    chosen = choose_network(
        network or named,
        frontend=frontend,
        epochs=epochs,
        said=[
            *said,
            *(f"training.{name}" for name in training.changed()),
            *(f"augmentation.{name}" for name in asked.augmentation.changed()),
            *(f"model.{name}" for name in model.changed() if name != "network"),
        ],
    )
    check_augmentation(asked.augmentation, frontend=frontend, network=chosen)
    return replace(model, network=chosen), asked.augmentation, training


def recipes_of_sweep(
    frontend: Frontend,
    *,
    recipe: Recipe | None,
    network: str | None,
    seed: int | None,
    epochs: int | None,
    settings: Mapping[str, Sequence[object]],
    seeds: int,
    trials: int | None,
) -> tuple[Trial, ...]:
    """List the trainings of a sweep, each with its recipe completed for the rows.

    Parameters
    ----------
    frontend, recipe, network, seed, epochs
        As for `recipe_for`.
    settings, seeds, trials
        As for `genre_model.sweeping.plan_sweep`.

    Raises
    ------
    InvalidSpec
        If one of them could not be trained, with its settings.
    """
    given = {"network": network, "seed": seed, "epochs": epochs}
    for parameter, name in PARAMETERS.items():
        if name in settings and given[parameter] is not None:
            raise InvalidSpec(
                f"{parameter} is {given[parameter]} and the sweep has {name}; leave one of them out"
            )
    base = recipe or Recipe()
    if seed is not None:
        base = replace(base, training=replace(base.training, seed=seed))
    return tuple(
        _completed(each, frontend, network=network, epochs=epochs, said=[*settings])
        for each in plan_sweep(base, settings, seeds=seeds, trials=trials)
    )


def _completed(
    trial: Trial,
    frontend: Frontend,
    *,
    network: str | None,
    epochs: int | None,
    said: Collection[str],
) -> Trial:
    try:
        model, augmentation, training = recipe_for(
            frontend, recipe=trial.recipe, network=network, seed=None, epochs=epochs, said=said
        )
    except InvalidSpec as error:
        raise InvalidSpec(f"with {trial.words} of the sweep: {error}") from error
    complete = replace(trial.recipe, model=model, augmentation=augmentation, training=training)
    return replace(trial, recipe=complete)


def named_network(network: str | None, recipe: Recipe | Mapping[str, object] | None) -> str | None:
    """Return the network that a flow run's parameters name, None if it is the usual one."""
    model = _recipe(recipe).model
    return network or (model.network if model else None)


def named_seed(seed: int | None, recipe: Recipe | Mapping[str, object] | None) -> int:
    """Return the seed of a flow run's parameters."""
    return _recipe(recipe).training.seed if seed is None else seed


def _recipe(given: Recipe | Mapping[str, object] | None) -> Recipe:
    """Read a parameter, in whatever form Prefect has it at hand."""
    return given if isinstance(given, Recipe) else Recipe.from_dict(given or {})
