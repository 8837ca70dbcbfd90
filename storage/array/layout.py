"""The names of everything in the folder of one array, and what its rows look like.

zarr.json   <array>/zarr.json   <array>/c/<shard>/0/0/0
plans/000000.parquet …          manifests/000000.json …
rows.parquet                    quarantine.parquet
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

FORMAT = 1
"""Of manifests and of the group's attributes."""

Attributes = Mapping[str, Any]
"""JSON values, by name, in the group's metadata: what the numbers of its array mean."""

ROWS_PER_SHARD = 64
ROW = "row"
"""The first dimension of every array."""

ABSENT = "absent"
"""The status of a row that no track has; all other statuses are words of the domain."""

NO_TRACK = -1
_MANIFEST = re.compile(r"^(\d{6,})\.json$")
_PLAN = re.compile(r"^(\d{6,})\.parquet$")


@dataclass(frozen=True, kw_only=True)
class ArrayLayout:
    """What the rows of one array are: names and lengths of its dimensions.

    Attributes
    ----------
    array : str
        The array's name in its group, as `log_mel`.
    dimensions : tuple[str, ...]
        Names of the dimensions behind `row`, as ("window", "band", "frame").
    row_shape : tuple[int, ...]
        Their lengths.
    """

    array: str
    dimensions: tuple[str, ...]
    row_shape: tuple[int, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all dimensions."""
        return (ROW, *self.dimensions)

    @property
    def shard_shape(self) -> tuple[int, ...]:
        """The shape of one whole shard."""
        return (ROWS_PER_SHARD, *self.row_shape)

    @property
    def most_bytes(self) -> int:
        """Bytes that a shard's object can have: compressed rows are hardly longer than plain."""
        row = 2 * math.prod(self.row_shape)
        return ROWS_PER_SHARD * (row + row // 128 + 1024) + 4096

    def shard_name(self, shard: int) -> str:
        """Name a shard's object below its features folder."""
        return f"{self.chunks_folder}/{shard}" + "/0" * len(self.row_shape)

    @property
    def chunks_folder(self) -> str:
        """Name the folder of the shards below the features folder."""
        return f"{self.array}/c"

    def shard_of_object(self, name: str) -> int | None:
        """Read the shard's number from a name below `chunks_folder`, None if it is none."""
        shard, *inner = name.split("/")
        is_shard = shard.isdecimal() and inner == ["0"] * len(self.row_shape)
        return int(shard) if is_shard else None


def manifest_name(shard: int) -> str:
    """Name a shard's manifest below its features folder."""
    return f"manifests/{shard:06d}.json"


def plan_name(number: int) -> str:
    """Name a plan's table below its features folder."""
    return f"plans/{number:06d}.parquet"


def shard_of_manifest(name: str) -> int | None:
    """Read the shard's number from a name in `manifests/`, None if it is none."""
    return _number(_MANIFEST, name)


def plan_number(name: str) -> int | None:
    """Read the plan's number from a name in `plans/`, None if it is none."""
    return _number(_PLAN, name)


def listed(numbers: Sequence[int], *, most: int = 10) -> str:
    """Write some numbers for a sentence."""
    shown = ", ".join(str(number) for number in numbers[:most])
    return shown + (f" and {len(numbers) - most} more" if len(numbers) > most else "")


def _number(pattern: re.Pattern[str], name: str) -> int | None:
    match = pattern.match(name)
    return int(match[1]) if match else None
