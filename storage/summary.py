"""What a store holds, for `genre status`."""

import math
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field, fields, replace
from functools import partial
from typing import TypeVar

import pandas as pd

from storage.array.feature_array import FeatureArray
from storage.array.tables import NO_SIZE, current_rows, quarantine_of
from storage.backbones import BackboneRecord, Backbones
from storage.catalogues import Catalogues
from storage.errors import (
    CredentialsRefused,
    Damaged,
    InvalidPlan,
    NotFound,
    Refused,
    StorageError,
    UnknownFormat,
)
from storage.features import Features
from storage.models import METRICS_FILE, Json, Models
from storage.places.location import Location
from storage.predictions import Predictions, PredictionTable
from storage.sweeps import Sweeps, SweepTable

_Found = TypeVar("_Found")
_UNPLANNED = (
    "{each.unplanned} shards were written and are in no plan; `genre status --verify` says which "
    "plan is gone, and `genre features --verify` makes it anew."
)
_SHOWN = ("track_accuracy", "tracks")
_STOPS_NOTHING_ELSE = (Damaged, InvalidPlan, NotFound, Refused, UnknownFormat)


@dataclass(frozen=True, kw_only=True)
class CatalogueSummary:
    """One catalogue: its id and number of tracks."""

    id: str
    tracks: int


@dataclass(frozen=True, kw_only=True)
class RefusedTrack:
    """A track whose audio gave no row, as `quarantine.parquet` has it.

    Attributes
    ----------
    track_id : int
    path : str
        Of its audio, as the catalogue names it.
    reason, detail : str
        The status, and a sentence.
    size : int or None
        Bytes of the audio; None if there was none.
    sha256 : str
        Of the audio; empty if it could not be read.
    decoder : str
        What refused it.
    """

    track_id: int
    path: str
    reason: str
    detail: str
    size: int | None
    sha256: str
    decoder: str


@dataclass(frozen=True, kw_only=True)
class FeaturesSummary:
    """One array.

    Attributes
    ----------
    key : str
        `<data set>/<preset>-<digest>`.
    data_set, preset : str
    shards, open_shards : int
        Planned ones, and those of them that are not done.
    tracks : dict[str, int]
        Status -> tracks whose newest row has it.
    windows : int
        Whole windows of these rows.
    bytes : int
        Of the shards' objects.
    is_finalised : bool
        Whether `rows.parquet` holds all that is done.
    unplanned : int
        Shards that have a manifest and are in no plan: one was lost.
    quarantine : tuple[RefusedTrack, ...]
    """

    key: str
    data_set: str
    preset: str
    shards: int
    open_shards: int
    tracks: dict[str, int]
    windows: int
    bytes: int
    is_finalised: bool
    unplanned: int = 0
    quarantine: tuple[RefusedTrack, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ModelSummary:
    """One model: whether it is whole, its validation accuracy, and its metrics on the test split.

    Of what is not known, or cannot be read, there is None.
    """

    id: str
    is_whole: bool
    validation_track_accuracy: float | None
    metrics: Json | None
    is_champion: bool


@dataclass(frozen=True, kw_only=True)
class PredictionsSummary:
    """One model's predictions for the files of one folder."""

    model: str
    table: str
    files: int


@dataclass(frozen=True, kw_only=True)
class SweepSummary:
    """One sweep: how many trainings it has, how many of them are done and have failed."""

    id: str
    trainings: int
    done: int
    failed: int


@dataclass(frozen=True, kw_only=True)
class BackboneSummary:
    """One frozen net: its name, what its file is, what it takes and gives, and its licence."""

    name: str
    sha256: str
    bytes: int
    frontend: str
    values: int
    licence: str
    source: str


@dataclass(frozen=True, kw_only=True)
class Unreadable:
    """One thing in the store that cannot be told of.

    Attributes
    ----------
    key : str
        Of an array as `FeaturesSummary.key`; of another thing its name below the store, as
        `catalogues/fma-1a2b3c4d`.
    path : str
        Its address.
    detail : str
        A sentence.
    """

    key: str
    path: str
    detail: str


@dataclass(frozen=True, kw_only=True)
class StoreSummary:
    """What a store holds, and what of it cannot be read; `to_dict` gives JSON values."""

    store: str
    catalogues: tuple[CatalogueSummary, ...] = ()
    features: tuple[FeaturesSummary, ...] = ()
    models: tuple[ModelSummary, ...] = ()
    predictions: tuple[PredictionsSummary, ...] = ()
    backbones: tuple[BackboneSummary, ...] = ()
    sweeps: tuple[SweepSummary, ...] = ()
    champion: str | None = None
    claims: tuple[str, ...] = field(default=())
    unreadable: tuple[Unreadable, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """Give plain JSON values."""
        return asdict(self)


class Reader:
    """Reads one thing after the other, and keeps what cannot be read: it stops no other.

    Attributes
    ----------
    unreadable : list[Unreadable]
    """

    def __init__(self) -> None:
        self.unreadable: list[Unreadable] = []

    def catalogues(self, catalogues: Catalogues) -> tuple[CatalogueSummary, ...]:
        """Count the tracks of every catalogue."""
        return self._each(
            (f"catalogues/{name}", catalogues.place(name), partial(_catalogue, catalogues, name))
            for name in catalogues.places()
        )

    def features(self, features: Features) -> tuple[FeaturesSummary, ...]:
        """Summarise every array."""
        found = self._each(
            (
                f"{data_set}/{name}",
                features.location / data_set / name,
                partial(_array, features, *each),
            )
            for each in [*features.names(), *features.undescribed()]
            for data_set, name in [each]
        )
        for each in found:
            if each.unplanned:
                data_set, name = each.key.split("/", 1)
                place = features.place(data_set, name) / "plans"
                self.unreadable.append(
                    Unreadable(key=each.key, path=place.uri, detail=_UNPLANNED.format(each=each))
                )
        return found

    def champion(self, models: Models) -> str | None:
        """Read which model is the champion."""
        found = self._each([("champion.json", models.champion_file, models.champion)])
        return found[0] if found else None

    def models(self, models: Models, *, champion: str | None) -> tuple[ModelSummary, ...]:
        """Say of every model what it is worth; one whose metrics cannot be read is listed too."""
        names = models.folder.folders()
        metrics = dict(
            self._each(
                (f"models/{name}", models.folder / name, partial(_metrics, models, name))
                for name in names
            )
        )
        found = (
            ModelSummary(
                id=name,
                is_whole=is_whole,
                validation_track_accuracy=_validation(models, name) if is_whole else None,
                metrics=metrics.get(name),
                is_champion=name == champion,
            )
            for name, is_whole in models.list().items()
        )
        return tuple(sorted(found, key=_by_validation))

    def predictions(self, predictions: Predictions) -> tuple[PredictionsSummary, ...]:
        """Count the files of every table of predictions."""
        return self._each(
            (
                f"predictions/{model}/{table.location.name}",
                table.location,
                partial(_predicted, model, table),
            )
            for model, table in predictions.tables()
        )

    def backbones(self, backbones: Backbones) -> tuple[BackboneSummary, ...]:
        """List the backbones; those that cannot be read are told of."""
        return self._each(
            (f"backbones/{key}", backbones.document(key), partial(_backbone, backbones, key))
            for key in backbones.names()
        )

    def sweeps(self, sweeps: Sweeps) -> tuple[SweepSummary, ...]:
        """Count the trainings of every sweep."""
        return self._each(
            (f"sweeps/{table.sweep}", table.location, partial(_sweep, table))
            for table in sweeps.tables()
        )

    def _each(
        self, things: Iterable[tuple[str, Location, Callable[[], _Found]]]
    ) -> tuple[_Found, ...]:
        found = []
        for key, place, read in things:
            try:
                found.append(read())
            except CredentialsRefused:
                raise
            except _STOPS_NOTHING_ELSE as error:
                self.unreadable.append(_unreadable(key, place, error))
        return tuple(found)


def _unreadable(key: str, place: Location, error: StorageError) -> Unreadable:
    return Unreadable(key=key, path=place.uri, detail=" ".join(str(error).split()))


def _catalogue(catalogues: Catalogues, name: str) -> CatalogueSummary:
    return CatalogueSummary(id=name, tracks=len(catalogues.read(name)))


def _array(features: Features, data_set: str, name: str) -> FeaturesSummary:
    return summarise_features(features.open(data_set=data_set, name=name))


def _predicted(model: str, table: PredictionTable) -> PredictionsSummary:
    return PredictionsSummary(model=model, table=table.location.name, files=len(table.read()))


def _sweep(table: SweepTable) -> SweepSummary:
    statuses = table.read()["status"]
    return SweepSummary(
        id=table.sweep,
        trainings=len(statuses),
        done=int((statuses == "done").sum()),
        failed=int((statuses == "failed").sum()),
    )


def _backbone(backbones: Backbones, key: str) -> BackboneSummary:
    return summarise_backbone(backbones.read(key))


def summarise_backbone(record: BackboneRecord) -> BackboneSummary:
    """Say what `genre backbone list` says of one."""
    return BackboneSummary(
        name=record.name,
        sha256=record.sha256,
        bytes=record.size,
        frontend=record.frontend,
        values=record.values,
        licence=record.licence,
        source=record.source,
    )


def _validation(models: Models, name: str) -> float | None:
    """Read how many validation tracks a model named, as its parameters say."""
    try:
        said = models.read_json(name, "params.json").get("validation_track_accuracy")
    except (Damaged, NotFound):
        return None
    return float(said) if isinstance(said, int | float) else None


def _by_validation(model: ModelSummary) -> float:
    """Sort the best on validation first, and those of which nothing is known last."""
    said = model.validation_track_accuracy
    return math.inf if said is None else -said


def _metrics(models: Models, name: str) -> tuple[str, Json | None]:
    metrics = models.metrics(name) if models.exists(name) else None
    wrong = [
        each
        for each in _SHOWN
        if metrics is not None and not isinstance(metrics.get(each), int | float)
    ]
    if wrong:
        place = models.evaluation(name, "test") / METRICS_FILE
        raise Damaged(
            f"{place.uri} does not tell {wrong[0]!r}; `genre evaluate --refresh` makes it anew."
        )
    return name, metrics


def summarise_features(features: FeatureArray) -> FeaturesSummary:
    """Summarise one array."""
    found = features.inventory()
    finished = found.finished_rows
    newest = current_rows(finished)
    counts = newest["status"].value_counts().to_dict()
    return FeaturesSummary(
        key=features.key,
        data_set=features.data_set,
        preset=str(features.attributes.get("preset", features.name.rpartition("-")[0])),
        shards=len(found.planned_shards),
        open_shards=len(found.planned_shards - found.done),
        tracks={str(status): int(count) for status, count in sorted(counts.items())},
        windows=int(newest["windows"].sum()),
        bytes=sum(entry.size for entry in found.objects.values()),
        unplanned=len(set(found.manifests) - found.planned_shards),
        quarantine=_ledger(finished),
        is_finalised=len(finished) > 0 and set(finished["row"]) == set(found.stored["row"]),
    )


def _ledger(rows: pd.DataFrame) -> tuple[RefusedTrack, ...]:
    names = [each.name for each in fields(RefusedTrack)]
    lines = quarantine_of(rows)[names].itertuples(index=False, name=None)
    tracks = (RefusedTrack(**dict(zip(names, line, strict=True))) for line in lines)
    return tuple(replace(each, size=None) if each.size == NO_SIZE else each for each in tracks)
