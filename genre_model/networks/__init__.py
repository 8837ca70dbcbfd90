"""The networks, one file each, by name; importing this package imports no Keras."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from genre_model.errors import InvalidSpec
from genre_model.frontends import PRESETS, Frontend
from genre_model.settings import NAMES, OF_FITTED, OF_PRETRAINED
from genre_model.specs import nearest_in_words

if TYPE_CHECKING:
    import keras

    from genre_model.networks.statistics import InputStatistics

__all__ = [
    "NETWORKS",
    "NetworkEntry",
    "build_network",
    "check_network",
    "choose_network",
    "is_fitted",
    "is_pretrained",
    "network_for",
    "settings_of",
    "usual_networks",
]


@dataclass(frozen=True)
class NetworkEntry:
    """One line of the registry.

    Parameters
    ----------
    module : str
        Has `build(*, input_shape, classes, statistics, generator) -> keras.Model`.
    takes : str
        Which rows: the `array` of the frontends whose windows it takes.
    is_fitted : bool
        Whether a solver fits it at once (`learning.fitting`); else it is trained in epochs.
    is_pretrained : bool
        Whether `build` takes `pretrained`, too, and begins with that net, frozen.
    any_length : bool
        Whether it has the same weights for windows of any length.
    """

    module: str
    takes: str
    is_fitted: bool = False
    is_pretrained: bool = False
    any_length: bool = False


NETWORKS: Mapping[str, NetworkEntry] = {
    "default": NetworkEntry("genre_model.networks.default", takes="log_mel", any_length=True),
    "notebook": NetworkEntry("genre_model.networks.notebook", takes="log_mel"),
    "dong": NetworkEntry("genre_model.networks.dong", takes="log_mel"),
    "resnet-s": NetworkEntry("genre_model.networks.resnet_s", takes="log_mel", any_length=True),
    "resnet-l": NetworkEntry("genre_model.networks.resnet_l", takes="log_mel", any_length=True),
    "imagenet": NetworkEntry(
        "genre_model.networks.imagenet", takes="log_mel", any_length=True, is_pretrained=True
    ),
    "linear": NetworkEntry("genre_model.networks.linear", takes="embedding", is_fitted=True),
    "mlp": NetworkEntry("genre_model.networks.mlp", takes="embedding"),
}
"""The networks by name; of those that take the same rows, the first is the default."""


def network_for(frontend: Frontend) -> str:
    """Name the network that is trained on a frontend's rows where none is named.

    Examples
    --------
    >>> [network_for(PRESETS[name]) for name in ("default", "notebook", "mfcc")]
    ['default', 'default', 'linear']
    """
    return usual_networks()[frontend.array]


def usual_networks() -> dict[str, str]:
    """Return rows' array -> the network that is trained on them where none is named."""
    usual: dict[str, str] = {}
    for name, entry in NETWORKS.items():
        usual.setdefault(entry.takes, name)
    return usual


def check_network(name: str, *, frontend: Frontend) -> None:
    """Refuse a network that does not take the rows of a frontend.

    Parameters
    ----------
    name : str
        One of `NETWORKS`.
    frontend : Frontend
        Whose rows it is to be trained on.

    Raises
    ------
    InvalidSpec
        If there is no network of that name, or it takes other rows.

    Examples
    --------
    >>> check_network("notebook", frontend=PRESETS["default"])
    """
    takes = _entry(name).takes
    if takes != frontend.array:
        raise InvalidSpec(
            f"the network {name!r} takes rows of {takes}, but the preset {frontend.name!r} makes "
            f"rows of {frontend.array}; choose {_remedy(takes, frontend.array)}"
        )


def choose_network(
    name: str | None, *, frontend: Frontend, epochs: int | None = None, said: Collection[str] = ()
) -> str:
    """Return the network that is to be trained on a frontend's rows.

    Parameters
    ----------
    name : str, optional
        The usual one by default.
    frontend : Frontend
    epochs : int, optional
        If they were asked for.
    said : collection of str
        Names of the recipe's settings that were asked for.

    Raises
    ------
    InvalidSpec
        If there is no network of that name, it takes other rows, or what was asked for is of no
        use to it.
    """
    chosen = name or network_for(frontend)
    check_network(chosen, frontend=frontend)
    if epochs is not None and is_fitted(chosen):
        raise InvalidSpec(
            f"the network {chosen!r} is fitted at once and has no epochs; leave --epochs out"
        )
    if useless := sorted(set(said) - set(settings_of(chosen))):
        what = "is fitted at once and" if is_fitted(chosen) else "begins with no pretrained net and"
        raise InvalidSpec(
            f"the network {chosen!r} {what} has no use for {' and '.join(useless)}; "
            f"leave {'it' if len(useless) == 1 else 'them'} out"
        )
    return chosen


def settings_of(name: str) -> tuple[str, ...]:
    """Name the settings of a recipe that say anything to a network."""
    if is_fitted(name):
        return OF_FITTED
    return tuple(each for each in NAMES if is_pretrained(name) or each not in OF_PRETRAINED)


def is_fitted(name: str) -> bool:
    """Whether a solver fits a network at once; else it is trained in epochs."""
    return _entry(name).is_fitted


def is_pretrained(name: str) -> bool:
    """Whether a network begins with a pretrained net, which is trained once its head was."""
    return _entry(name).is_pretrained


def _entry(name: str) -> NetworkEntry:
    if name not in NETWORKS:
        raise InvalidSpec(
            f"there is no network {name!r}; the networks are {', '.join(NETWORKS)}"
            f"{nearest_in_words(name, NETWORKS)}"
        )
    return NETWORKS[name]


def _remedy(takes: str, makes: str) -> str:
    """Name what would fit: networks for these rows, presets for this network."""
    networks = [repr(name) for name, entry in NETWORKS.items() if entry.takes == makes]
    presets = [repr(name) for name, frontend in PRESETS.items() if frontend.array == takes]
    ways = [("network", networks), ("preset", presets)]
    return " or ".join(f"the {what} {' or '.join(names)}" for what, names in ways if names)


def build_network(
    name: str,
    *,
    input_shape: tuple[int, ...],
    classes: int,
    statistics: InputStatistics,
    seed: int,
    pretrained: Callable[[keras.KerasTensor], keras.Model] | None = None,
) -> keras.Model:
    """Build an untrained network.

    It is made of Keras's own layers only, so that it opens in safe mode anywhere, and every
    layer that draws numbers has a seed of its own: no global random state is read or set.

    Parameters
    ----------
    name : str
        One of `NETWORKS`.
    input_shape : tuple[int, ...]
        (bands, frames) of a window, or (values,).
    classes : int [at least 2]
        Genres, of which each gets an output.
    statistics : InputStatistics
        Of the training rows; they become constants of the network, not weights.
    seed : int
        Source of the first weights and of what dropout drops.
    pretrained : callable, optional
        Builds what a pretrained network begins with, behind a picture.

    Returns
    -------
    keras.Model
        Raw features, float [batch, *input_shape], to logits, float32 [batch, classes].

    Raises
    ------
    InvalidSpec
        If there is no network of that name, it cannot be built for such an input, or has no
        net to begin with.

    Examples
    --------
    >>> from genre_model.networks.statistics import InputStatistics
    >>> network = build_network("notebook", input_shape=(64, 256), classes=8,
    ...                         statistics=InputStatistics.identity(64), seed=0)
    >>> network.count_params()
    105512
    """
    entry = _entry(name)
    if classes < 2:
        raise InvalidSpec(
            f"a network for {classes} genre has nothing to tell apart; choose tracks of two genres"
        )
    if statistics.size != input_shape[0]:
        raise InvalidSpec(
            f"the statistics are of {statistics.size} bands or values and the windows of "
            f"{input_shape[0]}; fit them on the same features"
        )
    if entry.is_pretrained and pretrained is None:
        raise InvalidSpec(f"the network {name!r} begins with a pretrained net; give it one")
    import numpy as np

    begun_with = {"pretrained": pretrained} if entry.is_pretrained else {}
    return import_module(entry.module).build(
        input_shape=input_shape,
        classes=classes,
        statistics=statistics,
        generator=np.random.default_rng(seed),
        **begun_with,
    )
