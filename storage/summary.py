"""What a store holds, for `genre status`."""

import contextlib
from dataclasses import asdict, dataclass, field
from typing import Any

import pandas as pd

from storage.array.datasets import list_features
from storage.array.features import FeatureStore
from storage.array.tables import NO_SIZE, current_rows, quarantine_of, read_table
from storage.claims import read_claims
from storage.errors import Damaged, NotFound
from storage.models import ModelStore
from storage.places.location import Location
from storage.predictions import list_predictions


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


def summarise(store: Location) -> StoreSummary:
    """Gather what a store holds, reading tables and listings but no array."""
    models = ModelStore(store)
    champion = models.champion()
    return StoreSummary(
        store=store.uri,
        catalogues=tuple(_catalogues(store)),
        features=tuple(
            summarise_features(FeatureStore.open(store, data_set=data_set, name=name))
            for data_set, name in list_features(store)
        ),
        models=tuple(
            ModelSummary(
                id=model,
                is_whole=is_whole,
                metrics=models.metrics(model) if is_whole else None,
                is_champion=model == champion,
            )
            for model, is_whole in models.list().items()
        ),
        predictions=tuple(
            PredictionsSummary(model=model, table=table.location.name, files=len(table.read()))
            for model, table in list_predictions(store)
        ),
        champion=champion,
        claims=tuple(record.sentence for record in read_claims(store).values()),
    )


def summarise_features(features: FeatureStore) -> FeaturesSummary:
    """Summarise one array."""
    found = features.survey()
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


def _catalogues(store: Location) -> list[CatalogueSummary]:
    folder = store / "catalogues"
    found = []
    for entry in folder.list():
        if entry.name.endswith(".parquet"):
            with contextlib.suppress(NotFound, Damaged):
                table = read_table(folder / entry.name)
                name = entry.name.removesuffix(".parquet")
                found.append(CatalogueSummary(id=name, tracks=len(table)))
    return found
