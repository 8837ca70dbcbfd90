"""The recipe of a command line, or those of a sweep.

The file gives way to the environment's options, and these to what stands on the line:

--config FILE  <  GENRE_SEED …  <  --seed …, --set training.seed=…
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from flows.engine.recipes import PARAMETERS, recipe_for, recipes_of_sweep
from flows.errors import UsageError
from genre_model.frontends import Frontend
from genre_model.networks import settings_of
from genre_model.recipe import Recipe
from genre_model.settings import (
    NAMES,
    as_toml,
    make_recipe,
    parse_setting,
    read_settings,
)
from genre_model.sweeping import Trial, parse_values

SPLIT, _OF_EVALUATION = "evaluation.split", "evaluation."
_LARGEST_FILE = 2**20


@dataclass(frozen=True)
class Asked:
    """What a command line asks of a training.

    Parameters
    ----------
    settings : Mapping
        Name -> value of all that is said, wherever it is.
    recipe : Recipe
        All of it.
    epochs : int, optional
        Behind `--epochs`.
    """

    settings: Mapping[str, object]
    recipe: Recipe
    epochs: int | None

    def named(self) -> dict[str, str | int | None]:
        """Return the options that are settings, too: None where nothing is said of one."""
        recipe, model = self.recipe, self.recipe.model
        values = {
            "network": model.network if model else None,
            "seed": recipe.training.seed,
            "epochs": recipe.training.epochs,
        }
        return {
            option: values[option] if name in self.settings else None
            for option, name in PARAMETERS.items()
        }

    def on(self, frontend: Frontend) -> Recipe:
        """Complete the recipe for a frontend's rows.

        Raises
        ------
        InvalidSpec
            If its network does not take them, or something said is of no use to it.
        """
        model, augmentation, training = recipe_for(
            frontend,
            recipe=self.recipe,
            network=None,
            seed=None,
            epochs=self.epochs,
            said=[*self.settings],
        )
        return replace(self.recipe, model=model, augmentation=augmentation, training=training)

    def as_toml(self, frontend: Frontend) -> str:
        """Write the recipe that would run on a frontend's rows; what its network ignores is not."""
        recipe = self.on(frontend)
        return as_toml(recipe, names=settings_of(recipe.model.network) if recipe.model else NAMES)


def asked_recipe(
    *,
    config: str | None,
    given: Sequence[str],
    said: Collection[str],
    network: str | None,
    seed: int | None,
    epochs: int | None,
) -> Asked:
    """Gather what is said of the recipe.

    Parameters
    ----------
    config : str, optional
        Path of a TOML file.
    given : sequence of str
        What stands behind each `--set`.
    said : collection of str
        The options that stand on the command line; what the environment says gives way to `--set`.
    network, seed, epochs : optional
        Values of these options.

    Raises
    ------
    UsageError
        If there is no such file, or one thing is said twice and differently.
    InvalidSpec
        If no recipe has what is said, or a value is refused.
    """
    of_file, of_line = _of_file(config), _settings(given)
    options = {"network": network, "seed": seed, "epochs": epochs}
    of_options = {
        PARAMETERS[option]: value for option, value in options.items() if value is not None
    }
    for option in sorted(PARAMETERS.keys() & set(said)):
        name, value = PARAMETERS[option], options[option]
        if name in of_line and of_line[name] != value:
            raise UsageError(
                f"--{option} is {value} and --set {name} {of_line[name]}; leave one of them out"
            )
    settings = {**of_file, **of_options, **of_line}
    return Asked(settings, make_recipe(settings), epochs)


def asked_evaluation(
    *,
    config: str | None,
    given: Sequence[str],
    where: str,
    split: str | None = None,
    said: Collection[str] = (),
) -> Recipe:
    """Gather what is said of an evaluation where nothing is trained.

    Parameters
    ----------
    config, given, said
        As for `asked_recipe`; of the file only [evaluation] is heard, since a training's is taken.
    where : str
        Where nothing is trained, for sentences.
    split : str, optional
        Value of `--split`.

    Raises
    ------
    UsageError
        If there is no such file, a setting is of a training, or the split is said twice and
        differently.
    InvalidSpec
        If no recipe has what is said, or a value is refused.
    """
    of_line = _settings(given)
    if useless := [name for name in of_line if not name.startswith(_OF_EVALUATION)]:
        raise UsageError(
            f"--set {' and '.join(useless)} has no use {where}, where nothing is trained; leave it "
            "out"
        )
    of_option = {} if split is None else {SPLIT: split}
    if "split" in said and of_line.get(SPLIT, split) != split:
        raise UsageError(
            f"--split is {split} and --set {SPLIT} {of_line[SPLIT]}; leave one of them out"
        )
    found = {**_of_file(config), **of_option, **of_line}
    return make_recipe({name: found[name] for name in found if name.startswith(_OF_EVALUATION)})


@dataclass(frozen=True)
class AskedSweep:
    """What a command line asks of a sweep.

    Parameters
    ----------
    base : Asked
        What all trainings have in common.
    settings : Mapping
        Name -> values of what is swept.
    seeds : int
    trials : int, optional
    """

    base: Asked
    settings: Mapping[str, Sequence[object]]
    seeds: int
    trials: int | None

    def on(self, frontend: Frontend) -> tuple[Trial, ...]:
        """List the trainings on a frontend's rows.

        Raises
        ------
        InvalidSpec
            If one of them cannot be.
        """
        return recipes_of_sweep(
            frontend,
            recipe=self.base.recipe,
            **self.base.named(),  # type: ignore[arg-type]
            settings=self.settings,
            seeds=self.seeds,
            trials=self.trials,
        )


def asked_sweep(
    *,
    config: str | None,
    given: Sequence[str],
    said: Collection[str],
    seeds: int,
    trials: int | None,
    **options: Any,
) -> AskedSweep:
    """Gather what is said of a sweep; what the environment says gives way to what is swept.

    Parameters
    ----------
    config, said
        As for `asked_recipe`.
    given : sequence of str
        What stands behind each `--set`: values with commas between them.
    seeds, trials : int
    **options
        `network`, `seed` and `epochs`, as for `asked_recipe`.

    Raises
    ------
    UsageError, InvalidSpec
        As `asked_recipe`.
    """
    settings: dict[str, Sequence[object]] = {}
    for text in given:
        name, values = parse_values(text)
        if name in settings:
            raise UsageError(f"--set says {name} twice; write all of its values behind one")
        settings[name] = values
    for option, name in PARAMETERS.items():
        if name in settings and option in said:
            raise UsageError(f"--{option} and --set {name} say the same; leave one of them out")
    options |= {option: None for option, name in PARAMETERS.items() if name in settings}
    base = asked_recipe(config=config, given=(), said=said, **options)
    return AskedSweep(base, settings, seeds, trials)


def _settings(given: Sequence[str]) -> dict[str, object]:
    settings: dict[str, object] = {}
    for text in given:
        name, value = parse_setting(text)
        if name in settings and settings[name] != value:
            raise UsageError(
                f"--set says {name} twice, {settings[name]} and {value}; leave one of them out"
            )
        settings[name] = value
    return settings


def _of_file(config: str | None) -> dict[str, object]:
    return read_settings(_text(config), where=config) if config is not None else {}


def _text(config: str) -> str:
    try:
        with Path(config).open("rb") as file:
            content = file.read(_LARGEST_FILE + 1)
    except OSError as error:
        raise UsageError(
            f"--config {config} cannot be read ({error.strerror}); name a TOML file, as `genre "
            "train --print-config` writes it"
        ) from error
    if len(content) > _LARGEST_FILE:
        raise UsageError(f"--config {config} is larger than 1 MiB and no recipe; name another file")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise UsageError(f"--config {config} is no text in UTF-8; name a TOML file") from error
