"""What a store holds, for `genre status`."""

import contextlib
from dataclasses import asdict, dataclass, field, fields, replace

import pandas as pd

from storage.array.feature_array import FeatureArray
from storage.array.tables import NO_SIZE, current_rows, quarantine_of
from storage.catalogues import Catalogues
from storage.errors import Damaged, NotFound
from storage.models import Json, Models
from storage.predictions import Predictions


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
    quarantine: tuple[RefusedTrack, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ModelSummary:
    """One model: whether it is whole, when it was made, and its metrics on the test split."""

    id: str
    is_whole: bool
    metrics: Json | None
    is_champion: bool


@dataclass(frozen=True, kw_only=True)
class PredictionsSummary:
    """One model's predictions for the files of one folder."""

    model: str
    table: str
    files: int


@dataclass(frozen=True, kw_only=True)
class StoreSummary:
    """What a store holds; `to_dict` gives JSON values."""

    store: str
    catalogues: tuple[CatalogueSummary, ...] = ()
    features: tuple[FeaturesSummary, ...] = ()
    models: tuple[ModelSummary, ...] = ()
    predictions: tuple[PredictionsSummary, ...] = ()
    champion: str | None = None
    claims: tuple[str, ...] = field(default=())

    def to_dict(self) -> dict[str, object]:
        """Give plain JSON values."""
        return asdict(self)


def summarise_catalogues(catalogues: Catalogues) -> tuple[CatalogueSummary, ...]:
    """Count the tracks of every catalogue; one that cannot be read is left out."""
    found = []
    for catalogue_id in catalogues.ids():
        with contextlib.suppress(NotFound, Damaged):
            tracks = len(catalogues.read(catalogue_id))
            found.append(CatalogueSummary(id=catalogue_id, tracks=tracks))
    return tuple(found)


def summarise_models(models: Models) -> tuple[ModelSummary, ...]:
    """Say of every model what it is worth."""
    champion = models.champion()
    return tuple(
        ModelSummary(
            id=model,
            is_whole=is_whole,
            metrics=models.metrics(model) if is_whole else None,
            is_champion=model == champion,
        )
        for model, is_whole in models.list().items()
    )


def summarise_predictions(predictions: Predictions) -> tuple[PredictionsSummary, ...]:
    """Count the files of every table of predictions."""
    return tuple(
        PredictionsSummary(model=model, table=table.location.name, files=len(table.read()))
        for model, table in predictions.tables()
    )


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
        quarantine=_ledger(finished),
        is_finalised=len(finished) > 0 and set(finished["row"]) == set(found.stored["row"]),
    )


def _ledger(rows: pd.DataFrame) -> tuple[RefusedTrack, ...]:
    names = [each.name for each in fields(RefusedTrack)]
    lines = quarantine_of(rows)[names].itertuples(index=False, name=None)
    tracks = (RefusedTrack(**dict(zip(names, line, strict=True))) for line in lines)
    return tuple(replace(each, size=None) if each.size == NO_SIZE else each for each in tracks)
