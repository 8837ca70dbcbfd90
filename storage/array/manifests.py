"""The manifest of a shard: what each of its rows is, and what bytes it was written as.

A manifest is written after its shard; where it is there and the shard has its size, the shard is
done. Its `seal` is a sha256 over everything but `seconds`, so that a manifest that was changed is
found, and two undisturbed runs give the same seals.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Annotated, Any, Self

from msgspec import Meta

from storage.array.layout import ABSENT, FORMAT, NO_TRACK
from storage.errors import Damaged
from storage.proof.documents import parse_document
from storage.proof.seals import canonical, seal

Whole = Annotated[int, Meta(ge=NO_TRACK, le=2**62)]
"""An integer that a table can hold."""


@dataclass(frozen=True, kw_only=True)
class RowRecord:
    """What became of one row.

    Attributes
    ----------
    row : int
    track_id : int
        -1 where the status is "absent".
    path : str
        Of the audio, as the catalogue names it.
    size : int | None
        Bytes of the audio; None if there was none.
    etag : str | None
        Its modification time or ETag.
    sha256 : str
        Of the audio, 64 hex digits; "" if it could not be read.
    status : str
        A word of the domain; this room knows only "absent".
    windows : int
        Whole windows of the row; 0 for a track that was refused.
    detail : str
        Why, for a status that needs it.
    duration_s : float
        Seconds of audio that were decoded.
    stored : int
        Bytes of the row's chunk in the shard; filled in when the shard is written.
    checksum : str
        The chunk's own crc32c, 8 hex digits; so that a chunk found in a damaged shard is known to
        be this row's.
    sample_rate : int | None
        Of the audio [Hz]; this and the next are None where nothing was decoded, and in manifests
        that were written before it was kept.
    channels : int | None
    level_db : float | None
        RMS of what was decoded [dBFS].
    file_s : float | None
        Length of all that can be played of the file [s]; of a long one `duration_s` is less.
    """

    row: Whole
    track_id: Whole
    path: str
    size: Whole | None
    etag: str | None
    sha256: str
    status: str
    windows: Whole
    detail: str = ""
    duration_s: float = 0.0
    stored: Whole = 0
    checksum: str = ""
    sample_rate: Whole | None = None
    channels: Whole | None = None
    level_db: float | None = None
    file_s: float | None = None

    @classmethod
    def absent(cls, row: int) -> Self:
        """Record that no track has this row."""
        return cls(
            row=row,
            track_id=NO_TRACK,
            path="",
            size=None,
            etag=None,
            sha256="",
            status=ABSENT,
            windows=0,
        )


@dataclass(frozen=True, kw_only=True)
class ShardManifest:
    """What one shard holds.

    Attributes
    ----------
    shard : int
    rows : tuple[RowRecord, ...]
        Every row that a plan gave to a track, in order.
    size : int
        Bytes of the shard's object; 0 if every row is empty and there is none.
    sha256 : str
        Of these bytes.
    decoder : str
        The decoder's name and version.
    versions : Mapping[str, str]
        Libraries that the numbers depend on.
    seconds : float
        Time the shard took; not part of the seal.
    """

    shard: Whole
    rows: tuple[RowRecord, ...]
    size: Whole
    sha256: str
    decoder: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def seal(self) -> str:
        """The sha256 of everything but the seconds."""
        content = _content(self)
        del content["seconds"]
        return seal(canonical(content))

    def to_json(self) -> bytes:
        """Write as JSON, one row a line."""
        content = _content(self)
        rows = ",\n  ".join(json.dumps(row, sort_keys=True) for row in content.pop("rows"))
        head = json.dumps(content | {"seal": self.seal}, sort_keys=True, indent=1)
        return f'{head[:-2]},\n "rows": [\n  {rows}\n ]\n}}\n'.encode()

    @classmethod
    def from_json(cls, text: bytes) -> Self:
        """Read what `to_json` wrote.

        Raises
        ------
        Damaged
            If it is no manifest, or its seal does not hold.
        """
        head = parse_document(text, _Head, where="The manifest")
        if head.format != FORMAT:
            raise Damaged("The manifest is of another format.")
        manifest = parse_document(text, cls, where="The manifest")
        if manifest.seal != head.seal:
            raise Damaged("The manifest's seal does not hold: its content was changed.")
        return manifest


@dataclass(frozen=True, kw_only=True)
class _Head:
    """What a manifest's document has besides the manifest."""

    format: int
    seal: str


RECORD_FIELDS: Sequence[str] = tuple(item.name for item in fields(RowRecord))
SOUND_FIELDS = ("sample_rate", "channels", "level_db", "file_s")
"""What is left out of a manifest where it is not known, so that older seals hold."""


def _content(manifest: ShardManifest) -> dict[str, Any]:
    rows = [
        {name: value for name, value in vars(record).items() if _is_written(name, value)}
        for record in manifest.rows
    ]
    content = {**vars(manifest), "versions": dict(manifest.versions), "rows": rows}
    return content | {"format": FORMAT}


def _is_written(name: str, value: object) -> bool:
    return value is not None or name not in SOUND_FIELDS
