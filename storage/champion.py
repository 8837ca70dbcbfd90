"""The champion: the model that `predict` uses, and those before it.

champion.json   {"model": id, "since": time, "history": [{"model", "since"}, …], "seal"}
"""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from storage.errors import Damaged
from storage.places.location import Location
from storage.proof.documents import check_plain, parse_document
from storage.proof.seals import Unsealed, check_document, seal_document

NAME = "champion.json"
_MENDED = "`genre evaluate` makes it anew"


@dataclass(frozen=True)
class Reign:
    """Which model was the champion since when (ISO 8601)."""

    model: str
    since: str


@dataclass(frozen=True)
class Champion:
    """What champion.json says.

    Attributes
    ----------
    model, since : str
        The champion's id, and the time from which on it is.
    history : tuple[Reign, ...]
        All there were, the champion last.
    """

    model: str
    since: str
    history: tuple[Reign, ...] = ()

    def succeeded_by(self, model: str, *, since: str) -> "Champion":
        """Let another one follow."""
        return Champion(model, since, (*self.history, Reign(model, since)))

    def to_dict(self) -> dict[str, object]:
        """Give plain JSON values."""
        return {**asdict(self), "history": [asdict(each) for each in self.history]}

    def to_json(self) -> bytes:
        """Write as JSON, the same bytes every time."""
        return json.dumps(seal_document(self.to_dict(), of=NAME), indent=1).encode() + b"\n"


def first_champion(model: str, *, since: str) -> Champion:
    """Make the record of the first one."""
    return Champion(model, since, (Reign(model, since),))


def read_champion(data: bytes, place: Location, *, must_be_sealed: bool = False) -> Champion:
    """Read what `to_json` wrote.

    Parameters
    ----------
    data : bytes
    place : Location
        Where they lie.
    must_be_sealed : bool
        Refuse one without a seal, as an older version wrote it, or with other white space.

    Raises
    ------
    Unsealed
    Damaged
        If it is no such record, was changed, or names what is no model's id.
    """
    where = place.uri
    try:
        document = parse_document(data, dict[str, object], where=where)
        try:
            check_document(document, of=NAME, where=where)
        except Unsealed:
            if must_be_sealed:
                raise
        found = parse_document(data, Champion, where=where)
        check_plain(found.model, what=f"a model's id ({where})")
    except Unsealed:
        raise
    except Damaged as error:
        raise Damaged(f"{str(error).rstrip('.')}; {_MENDED}.") from error
    if must_be_sealed and found.to_json() != data:
        raise Damaged(f"{where} is not written as it was; {_MENDED}.")
    return found


def now() -> str:
    """Give the time as champion.json has it."""
    return datetime.now(UTC).isoformat(timespec="seconds")
