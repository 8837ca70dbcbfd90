"""What a store holds, for `genre status`."""

import contextlib
from dataclasses import asdict, dataclass, field
from typing import Any

import pandas as pd

from storage.array.feature_array import FeatureArray
from storage.array.tables import NO_SIZE, current_rows, quarantine_of
from storage.catalogues import Catalogues
from storage.errors import Damaged, NotFound
from storage.models import Models
from storage.predictions import Predictions


@dataclass(frozen=True, kw_only=True)
class CatalogueSummary:
    """One catalogue: its id and number of tracks."""

    id: str
    tracks: int


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
    quarantine : tuple[dict[str, Any], ...]
        The refused tracks: track_id, path, reason, detail, size, sha256, decoder.
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
    quarantine: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, kw_only=True)
class ModelSummary:
    """One model: whether it is whole, when it was made, and its metrics on the test split."""

    id: str
    is_whole: bool
    metrics: dict[str, Any] | None
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

    def to_dict(self) -> dict[str, Any]:
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


def _ledger(rows: pd.DataFrame) -> tuple[dict[str, Any], ...]:
    columns = ["track_id", "path", "reason", "detail", "size", "sha256", "decoder"]
    lines = quarantine_of(rows)[columns].to_dict(orient="records")
    return tuple(
        {str(name): None if name == "size" and value == NO_SIZE else value for name, value in each}
        for each in (line.items() for line in lines)
    )
