"""What serving and exporting a model answer; as those of `flows.results`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass


@dataclass(frozen=True, kw_only=True)
class ServeResult:
    """Where `genre serve` serves.

    Attributes
    ----------
    page : str
        Address of the page.
    model : str
    workers : int
        Processes that hear songs.
    token : str, optional
        The one that was made; none where it was given, or none is needed.
    """

    page: str
    model: str
    workers: int
    token: str | None = None

    def to_dict(self) -> dict[str, object]:
        """Return the JSON object of `genre serve`."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class ExportResult:
    """What `genre models export` wrote.

    Attributes
    ----------
    model, to : str
        The model's id, and the folder.
    files : Mapping[str, int]
        Name -> bytes.
    """

    model: str
    to: str
    files: Mapping[str, int]

    def to_dict(self) -> dict[str, object]:
        """Return the JSON object of `genre models export`."""
        return asdict(self)
