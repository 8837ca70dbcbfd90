"""A sweep in the store: which trainings it has, what they came to, and which is the best."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from statistics import mean, stdev
from typing import Literal

import pandas as pd

from genre_model.errors import ModelError
from genre_model.recipe import ModelSpec
from genre_model.sweeping import Settings, Trial
from storage.errors import Damaged, NotFound
from storage.store import Store
from tasks.labelled import LabelledFeatures
from tasks.models import ModelFacts, describe_model
from tasks.training import identify_model


@dataclass(frozen=True, kw_only=True)
class SweptTraining:
    """One training of a sweep.

    Attributes
    ----------
    model : str
        The id that it has, or will have.
    settings : Mapping
        What it has of the sweep's settings, name -> value.
    seed : int
    status : {"open", "done", "failed"}
    validation_track_accuracy, validation_window_accuracy : float or None [0 to 1]
    detail : str
        Why it failed.
    """

    model: str
    settings: Settings
    seed: int
    status: Literal["open", "done", "failed"] = "open"
    validation_track_accuracy: float | None = None
    validation_window_accuracy: float | None = None
    detail: str = ""

    @property
    def validation(self) -> str:
        """The track accuracy in figures; nothing where there is none."""
        found = self.validation_track_accuracy
        return "" if found is None else f"{found:.1%}"


@dataclass(frozen=True, kw_only=True)
class SweptRecipe:
    """The trainings of a sweep that differ in their seed alone.

    Attributes
    ----------
    settings : Mapping
    models : tuple[str, ...]
        Those that are done, the best on validation first.
    trainings, failed : int
        How many there are, and have failed.
    validation_mean, validation_spread : float or None [0 to 1]
        Mean and standard deviation of the validation track accuracies of those that are done; None
        where none is, or for the deviation fewer than two.
    """

    settings: Settings
    models: tuple[str, ...]
    trainings: int
    failed: int
    validation_mean: float | None
    validation_spread: float | None

    @property
    def validation(self) -> str:
        """Mean and deviation in figures; nothing where there is none."""
        if self.validation_mean is None:
            return ""
        spread = self.validation_spread
        return f"{self.validation_mean:.1%}" + ("" if spread is None else f" ± {spread:.1%}")


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """A sweep, as far as it has come.

    Attributes
    ----------
    id : str
    trainings : tuple[SweptTraining, ...]
        In the order in which they are trained.
    """

    id: str
    trainings: tuple[SweptTraining, ...]

    @classmethod
    def planned(cls, data: LabelledFeatures, trials: Sequence[Trial]) -> Sweep:
        """Name the sweep of some trainings on some rows, and their models.

        The same trainings on the same rows are the same sweep.
        """
        lines = tuple(
            SweptTraining(model=_model(data, each), settings=each.settings, seed=each.seed)
            for each in trials
        )
        made_of = [[each.model, dict(each.settings), each.seed] for each in lines]
        return cls(
            id=f"sweep-{sha256(json.dumps(made_of).encode()).hexdigest()[:8]}", trainings=lines
        )

    def found(self, store: Store) -> Sweep:
        """Return it with what the store has of it already."""
        sweep = self
        for place, each in enumerate(self.trainings):
            if store.models.exists(each.model):
                with contextlib.suppress(Damaged, NotFound, ModelError):  # it is trained again
                    sweep = sweep.done(place, describe_model(store, each.model))
        return sweep

    def done(self, place: int, facts: ModelFacts) -> Sweep:
        """Return it with a training's result."""
        return self._with(
            place,
            status="done",
            validation_track_accuracy=facts.validation_track_accuracy,
            validation_window_accuracy=facts.validation_window_accuracy,
        )

    def failed(self, place: int, detail: str) -> Sweep:
        """Return it with the reason for which a training failed."""
        return self._with(
            place,
            status="failed",
            validation_track_accuracy=None,
            validation_window_accuracy=None,
            detail=detail,
        )

    def _with(self, place: int, **changes: object) -> Sweep:
        lines = list(self.trainings)
        lines[place] = replace(lines[place], **changes)  # type: ignore[arg-type]
        return replace(self, trainings=tuple(lines))

    def count(self, status: str) -> int:
        """Count the trainings of a status."""
        return sum(each.status == status for each in self.trainings)

    @property
    def progress(self) -> str:
        """Say how far it is."""
        failed = self.count("failed")
        said = f"{self.count('done'):,} of {len(self.trainings):,} trainings done"
        return f"{said}, {failed:,} failed" if failed else said

    @property
    def best(self) -> SweptTraining | None:
        """The training with the highest validation track accuracy.

        Of several that of the recipe which is better over its seeds, then the first.
        """
        means = {
            model: each.validation_mean or 0.0 for each in self.recipes for model in each.models
        }
        done = [each for each in self.trainings if each.status == "done"]
        return max(done, key=lambda each: (_accuracy(each), means[each.model]), default=None)

    @property
    def recipes(self) -> tuple[SweptRecipe, ...]:
        """A line a combination of settings, the best on validation first, open ones last."""
        groups: dict[str, list[SweptTraining]] = {}
        for each in self.trainings:
            groups.setdefault(json.dumps(dict(each.settings)), []).append(each)
        return tuple(
            sorted(map(_recipe, groups.values()), key=lambda each: -(each.validation_mean or -1.0))
        )

    def to_frame(self) -> pd.DataFrame:
        """Return the table that the store keeps; its columns are those of `storage.sweeps`."""
        lines = [
            {**asdict(each), "settings": json.dumps(dict(each.settings))} for each in self.trainings
        ]
        accuracies = ["validation_track_accuracy", "validation_window_accuracy"]
        return pd.DataFrame(lines).astype(dict.fromkeys(accuracies, float))

    def to_dict(self) -> dict[str, object]:
        """Return plain values, ready for JSON."""
        best = self.best
        return {
            "sweep": self.id,
            "trainings": [asdict(each) for each in self.trainings],
            "recipes": [asdict(each) for each in self.recipes],
            "best": best.model if best else None,
        }


def _model(data: LabelledFeatures, trial: Trial) -> str:
    recipe = trial.recipe
    return identify_model(
        data, recipe.model or ModelSpec(), recipe.training, augmentation=recipe.augmentation
    )


def _accuracy(each: SweptTraining) -> float:
    return each.validation_track_accuracy or 0.0


def _recipe(lines: Sequence[SweptTraining]) -> SweptRecipe:
    done = sorted(
        (each for each in lines if each.status == "done"), key=lambda each: -_accuracy(each)
    )
    found = list(map(_accuracy, done))
    return SweptRecipe(
        settings=lines[0].settings,
        models=tuple(each.model for each in done),
        trainings=len(lines),
        failed=sum(each.status == "failed" for each in lines),
        validation_mean=mean(found) if found else None,
        validation_spread=stdev(found) if len(found) > 1 else None,
    )
