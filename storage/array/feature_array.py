"""One array of features with its plans, manifests and tables: create → write shard → finalise.

    features/<data set>/<preset>-<digest>/
        zarr.json   log_mel/zarr.json   log_mel/c/<shard>/0/0/0
        plans/000000.parquet …          manifests/000000.json …
        rows.parquet                    quarantine.parquet

The order of writes is the guarantee: a plan before its rows, a shard before its manifest,
manifests before the tables. Whatever is missing when a run is killed is what the next one does.
"""

import contextlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd

from storage.array.description import (
    DESCRIPTION,
    array_length,
    as_stored,
    check_is,
    group_bytes,
    layout_of,
    read_attributes,
)
from storage.array.inventory import Inventory, read_manifest, read_plans, take_inventory
from storage.array.layout import (
    ROWS_PER_SHARD,
    ArrayLayout,
    Attributes,
    listed,
    manifest_name,
    plan_name,
)
from storage.array.manifests import RowRecord, ShardManifest
from storage.array.plans import ShardWork, WorkPlan
from storage.array.shard_writer import ShardFacts, write_whole_shard
from storage.array.shards import (
    Block,
    array_document,
    decode_shard,
)
from storage.array.tables import is_stored, quarantine_of, stored
from storage.errors import (
    AlreadyThere,
    Damaged,
    Incomplete,
    Mismatched,
    NotFound,
)
from storage.places.location import Location
from storage.proof.documents import read_bounded
from storage.tables import create_table, write_table


@dataclass(frozen=True, kw_only=True)
class Finalised:
    """What `finalise` wrote: `rows.parquet` and `quarantine.parquet`."""

    rows: pd.DataFrame
    quarantine: pd.DataFrame


@dataclass(frozen=True, kw_only=True)
class FeatureArray:
    """One array of features. Small, immutable, travels to workers.

    Attributes
    ----------
    location : Location
        The features folder.
    data_set, name : str
        `features/<data_set>/<name>`.
    layout : ArrayLayout
        The array's name, its dimensions and the shape of a row.
    """

    location: Location
    data_set: str
    name: str
    layout: ArrayLayout

    @property
    def key(self) -> str:
        """`<data set>/<preset>-<digest>`."""
        return f"{self.data_set}/{self.name}"

    @classmethod
    def is_at(cls, location: Location) -> bool:
        """Whether an array lies there, of whatever version."""
        return (location / DESCRIPTION).exists()

    @property
    def description(self) -> Location:
        """The document that tells what the numbers mean; every array has one."""
        return self.location / DESCRIPTION

    @property
    def rows_file(self) -> Location:
        """The table of all rows, once finalised."""
        return self.location / "rows.parquet"

    @property
    def quarantine_file(self) -> Location:
        """The table of the refused tracks, once finalised."""
        return self.location / "quarantine.parquet"

    @property
    def rows_per_shard(self) -> int:
        """How many rows are read and written at once."""
        return ROWS_PER_SHARD

    @classmethod
    def create(
        cls,
        location: Location,
        *,
        data_set: str,
        name: str,
        layout: ArrayLayout,
        attributes: Attributes,
    ) -> Self:
        """Open an array's folder, making its group if there is none.

        Parameters
        ----------
        location : Location
            The folder.
        data_set : str
        name : str
            `<preset>-<digest of the frontend>`.
        layout : ArrayLayout
        attributes : Mapping
            What the numbers mean: the preset's name and the frontend's spec, as JSON values.

        Raises
        ------
        Mismatched
            If the group is there with other attributes.
        UnknownFormat
            If another version wrote it.
        Damaged
            If its attributes are not as they were written.
        """
        wanted = as_stored(data_set, layout, attributes)
        array = array_document(0, layout)
        with contextlib.suppress(AlreadyThere):
            (location / layout.array / DESCRIPTION).create(array)
        try:
            (location / DESCRIPTION).create(group_bytes(location, wanted, array))
        except AlreadyThere:
            check_is(location, wanted)
        return cls(location=location, data_set=data_set, name=name, layout=layout)

    @classmethod
    def check_free(
        cls, location: Location, *, data_set: str, layout: ArrayLayout, attributes: Attributes
    ) -> None:
        """Refuse what `create` would refuse, and write nothing.

        Raises
        ------
        Mismatched, UnknownFormat
        """
        if cls.is_at(location):
            check_is(location, as_stored(data_set, layout, attributes))

    @classmethod
    def open(cls, location: Location, *, data_set: str, name: str) -> Self:
        """Open an array's folder that is there.

        Raises
        ------
        NotFound
            If it is not.
        UnknownFormat
            If its group does not say what its array is, as before there were several kinds, or
            has the format of another version.
        """
        layout = layout_of(location, read_attributes(location))
        return cls(location=location, data_set=data_set, name=name, layout=layout)

    @property
    def attributes(self) -> Attributes:
        """What the numbers mean, as given to `create`."""
        return read_attributes(self.location)

    def inventory(self) -> Inventory:
        """Find out what is there: `inventory().known` is what planning needs."""
        return take_inventory(self.location, self.layout)

    def prepare(self, plan: WorkPlan) -> None:
        """Store the plan's new rows and make the array long enough; before any shard.

        Raises
        ------
        Mismatched
            If another run stored a plan since this one was made: plan again.
        """
        known, number = read_plans(self.location)
        if len(plan.new_rows):
            self._store_plan(plan.new_rows, number=number, known=known)
        last = max([*known["row"].tail(1), *plan.new_rows["row"].tail(1)], default=-1)
        self._grow(-(-(last + 1) // ROWS_PER_SHARD) * ROWS_PER_SHARD)

    def _store_plan(self, rows: pd.DataFrame, *, number: int, known: pd.DataFrame) -> None:
        first = int(rows["row"].min())
        if first % ROWS_PER_SHARD or (len(known) and first <= int(known["row"].max())):
            raise Mismatched(f"{self.location.uri} got another plan meanwhile: plan again.")
        try:
            create_table(self.location / plan_name(number), stored(rows))
        except AlreadyThere:
            raise Mismatched(
                f"{self.location.uri} got another plan meanwhile: plan again."
            ) from None

    def _grow(self, rows: int) -> None:
        document = self.location / self.layout.array / DESCRIPTION
        length = array_length(self.location, self.layout)
        longer = array_document(max(rows, length), self.layout)
        group = group_bytes(self.location, self.attributes, longer)
        # the array before the group that repeats its length; a kill between them is mended here
        for target, content in ((document, longer), (self.description, group)):
            if target.read_bytes() != content:
                target.write_bytes(content)

    def finished(self, work: ShardWork) -> ShardManifest | None:
        """Give the manifest if this work was done already: a task that runs again asks first."""
        try:
            manifest = read_manifest(self.location, work.shard)
        except (NotFound, Damaged):
            return None
        entry = (self.location / self.layout.shard_name(work.shard)).entry()
        fits = manifest.size == (entry.size if entry else 0)
        tracks = {record.row: record.track_id for record in manifest.rows}
        is_planned = tuple(tracks) == work.planned
        is_of_tracks = all(tracks.get(row) == audio.track_id for row, audio in work.rows)
        return manifest if fits and is_planned and is_of_tracks else None

    def write_shard(
        self,
        work: ShardWork,
        data: Block,
        records: Iterable[RowRecord],
        *,
        decoder: str = "",
        versions: Mapping[str, str] | None = None,
        seconds: float = 0.0,
    ) -> ShardManifest:
        """Write one whole shard, then its manifest.

        Parameters
        ----------
        work : ShardWork
        data : np.ndarray [shape=(64, *row_shape), float16]
            Zero wherever no window was decoded. Rows to be salvaged are filled in here.
        records : Iterable[RowRecord]
            One for each row in `work.rows`.
        decoder : str
            The decoder's name and version.
        versions : Mapping[str, str], optional
            Libraries that the numbers depend on.
        seconds : float
            Time that decoding took.

        Raises
        ------
        MisalignedWrite
            If the data or the records are not exactly those of one whole shard.
        """
        return write_whole_shard(
            self.location,
            work,
            data,
            records,
            layout=self.layout,
            facts=ShardFacts(decoder=decoder, versions=dict(versions or {}), seconds=seconds),
        )

    def finalise(
        self, required: Iterable[int] | None = None, *, refresh: pd.DataFrame | None = None
    ) -> Finalised:
        """Gather the manifests into `rows.parquet` and `quarantine.parquet`.

        Parameters
        ----------
        required : Iterable[int], optional
            Shards that must be done (`WorkPlan.required`); all planned ones if not given.
        refresh : pd.DataFrame, optional
            `WorkPlan.refresh`: rows whose audio has another etag now, with the same bytes.

        Raises
        ------
        Incomplete
            If one is not done; it carries the list.
        """
        found = self.inventory()
        wanted = found.planned_shards if required is None else set(required)
        missing = sorted(set(wanted) - found.done)
        if missing:
            raise Incomplete(
                f"{len(missing)} of {len(wanted)} shards of {self.location.uri} are not done: "
                f"{listed(missing)}; run the same command again.",
                missing=missing,
            )
        rows = _refreshed(found.finished_rows, refresh)
        quarantine = quarantine_of(rows)
        if not (is_stored(self.rows_file, rows) and is_stored(self.quarantine_file, quarantine)):
            # rows.parquet last: while it is the old one, both are written again
            write_table(self.quarantine_file, stored(quarantine))
            write_table(self.rows_file, stored(rows))
        return Finalised(rows=rows, quarantine=quarantine)

    def rows(self) -> pd.DataFrame:
        """Give the lines of every row of a finished shard, finalised or not, by row."""
        return self.inventory().finished_rows

    def read_shard(self, shard: int) -> Block:
        """Read one whole shard.

        Returns
        -------
        np.ndarray [shape=(64, *row_shape), float16]

        Raises
        ------
        Damaged
            If it is not there though its manifest says so, or a checksum does not hold.
        """
        target = self.location / self.layout.shard_name(shard)
        try:
            data = read_bounded(target, most=self.layout.most_bytes)
        except NotFound:
            if read_manifest(self.location, shard).size:
                raise Damaged(
                    f"{target.uri} is gone; `genre features --verify` makes it again."
                ) from None
            data = b""
        try:
            return decode_shard(data, self.layout.row_shape)
        except Damaged as error:
            raise Damaged(
                f"{target.uri} is damaged ({error}) `genre features --verify` makes it again."
            ) from error

    def begin_repair(self, shards: Collection[int]) -> None:
        """Mark damaged shards as not done, keeping what is known of their rows.

        What the manifests say goes to `rows.parquet` first, then those of the damaged shards are
        deleted; from then on any run, also one after a kill, finds them open and writes them
        again. A table that contradicts the manifests is mended by this too.
        """
        found = take_inventory(self.location, self.layout, trusts_table=False)
        records = found.records.sort_values("row").reset_index(drop=True)
        if not is_stored(self.rows_file, records):
            write_table(self.rows_file, stored(records))
        for shard in sorted(shards):
            (self.location / manifest_name(shard)).delete()

    def sweep(self) -> int:
        """Delete what killed writers left under temporary names, and count it."""
        return self.location.sweep()


def _refreshed(rows: pd.DataFrame, refresh: pd.DataFrame | None) -> pd.DataFrame:
    if refresh is None or refresh.empty:
        return rows
    now = rows[["row"]].merge(refresh, on="row", how="left")
    is_moved = now["etag"].notna().to_numpy(bool)
    return rows.assign(
        etag=np.where(is_moved, now["etag"], rows["etag"]),
        path=np.where(is_moved, now["path"], rows["path"]),
    )
