"""Write one shard: checked, whole, and before its manifest."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256

import numpy as np
import pandas as pd

from storage.array.inventory import known_records, savable_rows
from storage.array.layout import ROWS_PER_SHARD, ArrayLayout, manifest_name
from storage.array.manifests import RECORD_FIELDS, SOUND_FIELDS, RowRecord, ShardManifest
from storage.array.plans import ShardWork
from storage.array.shards import Block, chunk_checksum, encode_shard, row_spans
from storage.array.tables import NO_SIZE
from storage.errors import Damaged, MisalignedWrite, NotFound
from storage.places.location import Location
from storage.proof.documents import read_bounded


@dataclass(frozen=True, kw_only=True)
class ShardFacts:
    """How a shard was made: the decoder, the libraries' versions, the seconds it took."""

    decoder: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0


def write_whole_shard(
    features: Location,
    work: ShardWork,
    data: Block,
    records: Iterable[RowRecord],
    *,
    layout: ArrayLayout,
    facts: ShardFacts,
) -> ShardManifest:
    """Check, fill in what is salvaged, write the shard, then its manifest.

    Raises
    ------
    MisalignedWrite
        If the data or the records are not exactly those of one whole shard.
    """
    made = sorted(records, key=lambda record: record.row)
    where = f"Shard {work.shard} of {features.uri}"
    _check_shape(where, work, data, layout)
    _check_records(where, work, data, made)
    carried = _salvage(features, work, data, layout)
    gone = [RowRecord.absent(row) for row in work.absent]
    shard_bytes = encode_shard(data)
    manifest = ShardManifest(
        shard=work.shard,
        rows=_measured([*made, *carried, *gone], shard_bytes),
        size=len(shard_bytes),
        sha256=sha256(shard_bytes).hexdigest(),
        decoder=facts.decoder,
        versions=facts.versions,
        seconds=round(facts.seconds, 3),
    )
    _put(features, manifest, shard_bytes, layout)
    return manifest


def _check_shape(where: str, work: ShardWork, data: Block, layout: ArrayLayout) -> None:
    expected = layout.shard_shape
    if data.shape != expected or data.dtype != np.float16:
        raise MisalignedWrite(
            f"{where} is {list(expected)} float16, not {list(data.shape)} {data.dtype}; "
            "write it whole."
        )
    strays = [row for row in work.planned if row // ROWS_PER_SHARD != work.shard]
    if strays:
        raise MisalignedWrite(f"{where} does not hold row {strays[0]}.")


def _check_records(where: str, work: ShardWork, data: Block, records: Sequence[RowRecord]) -> None:
    wanted = [(row, audio.track_id) for row, audio in work.rows]
    given = [(record.row, record.track_id) for record in records]
    if given != wanted:
        raise MisalignedWrite(
            f"{where} needs a record for each of its rows and tracks {wanted}, not {given}."
        )
    filled = {record.row % ROWS_PER_SHARD for record in records if record.windows}
    for place in sorted(set(range(ROWS_PER_SHARD)) - filled):
        if data[place].view(np.uint16).any():
            raise MisalignedWrite(f"{where} has values at place {place} (0 to 63), which is empty.")


def _salvage(
    features: Location, work: ShardWork, data: Block, layout: ArrayLayout
) -> list[RowRecord]:
    """Fill in rows of the damaged shard that is there; those that are lost become absent."""
    if not work.salvage:
        return []
    records = known_records(features, work.shard)
    try:
        damaged = read_bounded(features / layout.shard_name(work.shard), most=layout.most_bytes)
    except (NotFound, Damaged):
        damaged = b""
    found = savable_rows(damaged, records, layout.row_shape)
    by_row = {record.row: record for record in _as_records(records)}
    carried = []
    for row in work.salvage:
        if row in found and found[row] is not None:
            data[row % ROWS_PER_SHARD] = found[row]
        carried.append(by_row[row] if row in found else RowRecord.absent(row))
    return carried


def _put(
    features: Location, manifest: ShardManifest, shard_bytes: bytes, layout: ArrayLayout
) -> None:
    target = features / layout.shard_name(manifest.shard)
    if shard_bytes:
        target.write_bytes(shard_bytes)
    else:
        target.delete()
    (features / manifest_name(manifest.shard)).write_bytes(manifest.to_json())


def _measured(records: Iterable[RowRecord], shard_bytes: bytes) -> tuple[RowRecord, ...]:
    spans = row_spans(shard_bytes)
    found = []
    for record in sorted(records, key=lambda record: record.row):
        span = spans[record.row % ROWS_PER_SHARD]
        stored = span[1] - span[0] if span else 0
        checksum = chunk_checksum(shard_bytes, span)
        found.append(replace(record, stored=stored, checksum=checksum))
    return tuple(found)


def _as_records(rows: pd.DataFrame) -> list[RowRecord]:
    lines = rows[list(RECORD_FIELDS)].to_dict(orient="records")
    return [
        RowRecord(
            **{
                **{str(name): value for name, value in line.items()},
                "size": line["size"] if line["size"] != NO_SIZE else None,
                "etag": line["etag"] or None,
                **_sound(line),
            }
        )
        for line in lines
    ]


def _sound(line: Mapping[Hashable, float]) -> dict[str, float | None]:
    """Return what the record has, where the table has NaN for what is not known."""
    values = {name: line[name] for name in SOUND_FIELDS}
    known = {name: None if np.isnan(value) else value for name, value in values.items()}
    whole = {"sample_rate", "channels"}
    return {
        name: int(value) if name in whole and value is not None else value
        for name, value in known.items()
    }
