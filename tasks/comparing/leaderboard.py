"""All models of a store side by side, sorted by validation; the test split chooses nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import mean, stdev

from storage.errors import Damaged
from storage.models import Json, Models
from tasks.models import made_by, readable_parameters


@dataclass(frozen=True, kw_only=True)
class ModelLine:
    """One model.

    Attributes
    ----------
    model, network, preset, catalogue : str
    seed : int or None
    split_policy : str
    parameters : int
    validation_track_accuracy : float [0 to 1]
    test_track_accuracy : float or None [0 to 1]
        None where it was not evaluated on the test split.
    test_interval : tuple[float, float] or None
        Its 95 % interval.
    test_readings : int
        How often the test split was read for it.
    champion : bool
    trained : str
        When, as ISO 8601.
    """

    model: str
    network: str
    preset: str
    catalogue: str
    seed: int | None
    split_policy: str
    parameters: int
    validation_track_accuracy: float
    test_track_accuracy: float | None
    test_interval: tuple[float, float] | None
    test_readings: int
    champion: bool
    trained: str


@dataclass(frozen=True, kw_only=True)
class RecipeLine:
    """The models of one recipe that differ in their seed alone.

    Attributes
    ----------
    models : tuple[str, ...]
    network, preset, catalogue : str
    validation_mean, validation_spread : float [0 to 1]
        Mean and standard deviation of their validation track accuracies.
    """

    models: tuple[str, ...]
    network: str
    preset: str
    catalogue: str
    validation_mean: float
    validation_spread: float

    @property
    def in_words(self) -> str:
        """Say how good they are together, and which they are."""
        return (
            f"{len(self.models)} seeds of {self.network} on {self.preset}: "
            f"{self.validation_mean:.1%} ± {self.validation_spread:.1%} of validation tracks "
            f"({', '.join(self.models)})"
        )


@dataclass(frozen=True, kw_only=True)
class Leaderboard:
    """All whole models, and the recipes of which there are several seeds, the best first."""

    models: tuple[ModelLine, ...]
    recipes: tuple[RecipeLine, ...]

    def to_dict(self) -> dict[str, object]:
        """Return plain values, ready for JSON."""
        return {
            "models": [asdict(each) for each in self.models],
            "recipes": [asdict(each) for each in self.recipes],
        }


def leaderboard(models: Models) -> Leaderboard:
    """List the whole models of a store that tell what they are."""
    params = readable_parameters(models)
    champion = models.champion()
    lines = [_line(models, name, made, champion) for name, made in params.items()]
    recipes = (_recipe(names, params) for names in _of_one_recipe(params))
    return Leaderboard(
        models=tuple(sorted(lines, key=lambda each: -each.validation_track_accuracy)),
        recipes=tuple(sorted(recipes, key=lambda each: -each.validation_mean)),
    )


def _line(models: Models, name: str, params: Json, champion: str | None) -> ModelLine:
    metrics = _metrics(models, name)
    accuracy, interval = metrics.get("track_accuracy"), metrics.get("track_accuracy_interval")
    return ModelLine(
        model=name,
        network=str(params.get("network", "")),
        preset=_preset(params),
        catalogue=str(params.get("catalogue", "")),
        seed=params.get("seed"),
        split_policy=str(params.get("split_policy", "official")),
        parameters=int(params.get("parameters", 0)),
        validation_track_accuracy=float(params.get("validation_track_accuracy", 0.0)),
        test_track_accuracy=float(accuracy) if isinstance(accuracy, int | float) else None,
        test_interval=_ends(interval),
        test_readings=readings(metrics),
        champion=name == champion,
        trained=str(params.get("trained", "")),
    )


def _ends(interval: object) -> tuple[float, float] | None:
    if not isinstance(interval, list) or len(interval) != 2:
        return None
    low, high = interval
    return float(low), float(high)


def readings(metrics: Json) -> int:
    """Return how often a split was read, as the metrics of its evaluation say."""
    told = metrics.get("readings", 1 if metrics else 0)
    return told if isinstance(told, int) and told >= 0 else 0


def _metrics(models: Models, name: str) -> Json:
    """Read what the test split gave; nothing where it was not read, or that cannot be read."""
    try:
        return models.metrics(name, split="test") or {}
    except Damaged:
        return {}


def _preset(params: Json) -> str:
    features = params.get("features")
    return str(features.get("name", "")) if isinstance(features, dict) else ""


def _of_one_recipe(params: Mapping[str, Json]) -> list[list[str]]:
    """Group the models that are the same but for their seed; alone is no group."""
    groups: list[tuple[Json, list[str]]] = []
    for name, made in params.items():
        key = _without_seed(made)
        found = next((names for other, names in groups if other == key), None)
        if found is None:
            groups.append((key, [name]))
        else:
            found.append(name)
    return [names for key, names in groups if len(names) > 1 and key["recipe"] is not None]


def _without_seed(params: Json) -> Json:
    recipe = made_by(params)
    if isinstance(recipe, dict) and isinstance(recipe.get("training"), dict):
        recipe = {**recipe, "training": {**recipe["training"], "seed": None}}
    named = ("network", "features", "catalogue", "rows_sha256", "split_policy")
    return {"recipe": recipe, **{name: params.get(name) for name in named}}


def _recipe(names: Sequence[str], params: Mapping[str, Json]) -> RecipeLine:
    found = [float(params[name].get("validation_track_accuracy", 0.0)) for name in names]
    first = params[names[0]]
    return RecipeLine(
        models=tuple(names),
        network=str(first.get("network", "")),
        preset=_preset(first),
        catalogue=str(first.get("catalogue", "")),
        validation_mean=mean(found),
        validation_spread=stdev(found),
    )
