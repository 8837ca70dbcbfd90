"""The champion: the model that `predict` uses, and those before it.

champion.json   {"model": id, "since": time, "history": [{"model", "since"}, …], "seal"}
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from storage.errors import AlreadyThere, Damaged, NotFound
from storage.places.location import Location
from storage.proof.documents import check_plain, parse_document, read_bounded
from storage.proof.problems import Problem
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


@dataclass(frozen=True)
class ChampionFile:
    """champion.json, and what of the models tells who it should name.

    Parameters
    ----------
    place : Location
        Where it lies.
    is_there : callable
        Tells of an id whether there is anything of that model.
    when_evaluated : callable
        Gives the times of evaluations of whole models with their ids: of all, or of the one.
    """

    place: Location
    is_there: Callable[[str], bool]
    when_evaluated: Callable[[str | None], Sequence[tuple[str, str]]]

    def read(self) -> Champion | None:
        """Read it, None if there is none.

        Raises
        ------
        Damaged
            If it is not what was written there.
        """
        try:
            return read_champion(read_bounded(self.place), self.place)
        except NotFound:
            return None

    def problems(self) -> Sequence[Problem]:
        """Say what is wrong with it; that it is gone, where a model was evaluated."""
        try:
            found = read_champion(read_bounded(self.place), self.place, must_be_sealed=True)
            if self.is_there(found.model):  # one that is damaged is trained again
                return []
            detail = f"It names {found.model}, and there is no such model."
        except NotFound:
            if not self.when_evaluated(None):
                return []
            return [Problem(what="champion missing", path=self.place.uri, detail="It is gone.")]
        except Damaged as error:
            detail = str(error)
        return [Problem(what="champion damaged", path=self.place.uri, detail=detail)]

    def mend(self) -> str:
        """Make it anew if it is damaged or gone: the model that was evaluated first.

        Returns
        -------
        str
            A sentence on what was wrong; empty if nothing was.
        """
        problems = self.problems()
        if not problems:
            return ""
        evaluated = self.when_evaluated(None)
        self.place.make_way()
        if not evaluated:
            self.place.delete()
            return f"{problems[0].sentence} The next model that is evaluated becomes the champion."
        since, name = min(evaluated)
        self.place.write_bytes(_first(name, since=since).to_json())
        return (
            f"{problems[0].sentence} It was made anew: {name} was evaluated first; who was "
            "promoted since then is not known any more."
        )

    def set_if_none(self, model: str) -> bool:
        """Make the model champion if there is none; of several at once, one does."""
        if self.place.exists():
            return False
        since = min((at for at, _ in self.when_evaluated(model)), default=_now())
        try:
            self.place.create(_first(model, since=since).to_json())
        except AlreadyThere:
            return False
        return True

    def move_to(self, model: str) -> None:
        """Make the model champion, keeping the former ones in the history."""
        while not self.set_if_none(model):
            former, etag = self._read()
            if former and former.model == model:
                return
            if former and self.place.replace_if(
                former.succeeded_by(model, since=_now()).to_json(), etag=etag
            ):
                return

    def _read(self) -> tuple[Champion | None, str]:
        try:
            data, etag = self.place.read_with_etag()
        except NotFound:
            return None, ""
        return read_champion(data, self.place), etag


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


def _first(model: str, *, since: str) -> Champion:
    return Champion(model, since, (Reign(model, since),))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
