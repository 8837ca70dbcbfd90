"""The recipe of a command line: the file, the environment's options, what stands on the line.

--config FILE  <  GENRE_SEED …  <  --seed …, --set training.seed=…
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from flows.engine.recipes import recipe_for
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

_OF_OPTIONS = {
    "network": "model.network",
    "seed": "training.seed",
    "epochs": "training.epochs",
}
"""Options that are settings, too."""
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
            for option, name in _OF_OPTIONS.items()
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
        return Recipe(model=model, augmentation=augmentation, training=training)

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
    of_file = read_settings(_text(config), where=config) if config is not None else {}
    of_line = _settings(given)
    options = {"network": network, "seed": seed, "epochs": epochs}
    of_options = {
        _OF_OPTIONS[option]: value for option, value in options.items() if value is not None
    }
    for option in sorted(_OF_OPTIONS.keys() & set(said)):
        name, value = _OF_OPTIONS[option], options[option]
        if name in of_line and of_line[name] != value:
            raise UsageError(
                f"--{option} is {value} and --set {name} {of_line[name]}; leave one of them out"
            )
    settings = {**of_file, **of_options, **of_line}
    return Asked(settings, make_recipe(settings), epochs)


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
