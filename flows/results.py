"""What each flow and command answers: frozen dataclasses whose `to_dict()` is the JSON contract."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, Protocol, Self

if TYPE_CHECKING:
    from genre_model.data.left_out import LeftOut
    from genre_model.hearing.prediction import Prediction
    from storage.summary import BackboneSummary
    from tasks.evaluated.metrics_file import Evaluation
    from tasks.features import FeatureCounts
    from tasks.models import ModelFacts
    from tasks.predicting.folder import PredictedFolder
    from tasks.status import StoreStatus

Json = dict[str, object]
"""A JSON object."""


class Result(Protocol):
    """What a command writes."""

    def to_dict(self) -> Json:
        """Return plain values, ready for JSON."""


@dataclass(frozen=True, kw_only=True)
class FeaturesResult:
    """What `genre features` did.

    Attributes
    ----------
    counts : FeatureCounts
        What became of the catalogue's tracks; its fields stand beside the others in the JSON.
    catalogue : str
        Its id.
    data : str
        Address of the data folder.
    building_seconds, worker_seconds : float
        From the first shard's submission to the last manifest, and the workers' own, summed.
    seconds : float
        Of the whole flow, but for the making of the built-in data set.
    """

    counts: FeatureCounts
    catalogue: str
    data: str
    building_seconds: float
    worker_seconds: float
    seconds: float

    def to_dict(self) -> Json:
        """Return the JSON object of `genre features`."""
        return _flat(self.counts.to_dict(), self, left_out=("counts",))


@dataclass(frozen=True, kw_only=True)
class TrainResult:
    """What `genre train` did.

    Attributes
    ----------
    facts : ModelFacts
        What the model is; its fields stand beside the others in the JSON.
    reused : bool
        Whether it was there already.
    seconds : float
    """

    facts: ModelFacts
    reused: bool
    seconds: float

    def to_dict(self) -> Json:
        """Return the JSON object of `genre train`."""
        return _flat(self.facts.to_dict(), self, left_out=("facts",))


@dataclass(frozen=True, kw_only=True)
class EvaluateResult:
    """What `genre evaluate` found.

    Attributes
    ----------
    evaluation : Evaluation
        The content of metrics.json; it stands beside the others in the JSON.
    report : str
        Address of the page.
    champion : str or None
        The model that `predict` uses now.
    remark : str
        A sentence: what became of the champion, where it was to be moved if this one is better.
    seconds : float
    """

    evaluation: Evaluation
    report: str
    champion: str | None
    remark: str = ""
    seconds: float

    def to_dict(self) -> Json:
        """Return the JSON object of `genre evaluate`."""
        return _flat(self.evaluation.to_dict(), self, left_out=("evaluation",))


@dataclass(frozen=True, kw_only=True)
class RunResult:
    """What `genre run` did; `features` is None if it started later.

    Attributes
    ----------
    store, data, catalogue : str
        Addresses, and the catalogue's id.
    features : FeaturesResult or None
    model : TrainResult
    evaluation : EvaluateResult
    report : str
        Address of the page.
    seconds : float
    """

    store: str
    data: str
    catalogue: str
    features: FeaturesResult | None
    model: TrainResult
    evaluation: EvaluateResult
    report: str
    seconds: float

    def to_dict(self) -> Json:
        """Return the JSON object of `genre run`."""
        return {
            **vars(self),
            "features": self.features.to_dict() if self.features else None,
            "model": self.model.to_dict(),
            "evaluation": self.evaluation.to_dict(),
        }


@dataclass(frozen=True, kw_only=True)
class PredictResult:
    """What `genre predict` said of some files, in the order in which they were named.

    Attributes
    ----------
    model : str
    predictions : tuple[Prediction, ...]
        Those of a folder stand where it was named.
    left_out : LeftOut
        What else lies in the folders.
    reused : int
        How many of them a table of an earlier run knew.
    licences : tuple[Mapping[str, str], ...]
        Of the pretrained nets that the model is made of.
    """

    model: str
    predictions: tuple[Prediction, ...]
    left_out: LeftOut
    reused: int = 0
    licences: tuple[Mapping[str, str], ...] = ()

    def to_dict(self) -> Json:
        """Return the JSON object of `genre predict`."""
        lines = [each.to_dict() for each in self.predictions]
        licences = [dict(each) for each in self.licences]
        found = {"model": self.model, "predictions": lines, "licences": licences}
        return {**found, "reused": self.reused, **self.left_out.to_dict()}


@dataclass(frozen=True, kw_only=True)
class PredictFolderResult:
    """What `predict-tracks` did; the lines themselves are in its table.

    Attributes
    ----------
    folder : PredictedFolder
    seconds : float
    """

    folder: PredictedFolder
    seconds: float

    def to_dict(self) -> Json:
        """Return plain values, without the lines."""
        return _flat(self.folder.to_dict(), self, left_out=("folder",))


@dataclass(frozen=True, kw_only=True)
class FetchedArchive:
    """One archive of a fetch.

    Attributes
    ----------
    name, source : str
        As `fma_small`, and the address that it came from.
    archive : str or None
        Where it is kept; None where it was streamed.
    files, bytes, written, reused : int
        Its files, their size, and how many of them were written now or there already.
    verified : tuple[str, ...]
        What was compared: `sha1`, `crc32`, `checksums`.
    remarks : tuple[str, ...]
        A sentence each.
    """

    name: str
    source: str
    archive: str | None
    files: int
    bytes: int
    written: int
    reused: int
    verified: tuple[str, ...]
    remarks: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class FetchResult:
    """What `genre fetch` brought."""

    dataset: str
    to: str
    archives: tuple[FetchedArchive, ...]
    seconds: float

    @property
    def files(self) -> int:
        """Files of all archives."""
        return sum(each.files for each in self.archives)

    @property
    def bytes(self) -> int:
        """Their size."""
        return sum(each.bytes for each in self.archives)

    @property
    def written(self) -> int:
        """Files that were written now."""
        return sum(each.written for each in self.archives)

    @property
    def reused(self) -> int:
        """Files that were there already."""
        return sum(each.reused for each in self.archives)

    @property
    def verified(self) -> tuple[str, ...]:
        """What was compared of every archive."""
        first, *others = self.archives
        return tuple(
            name for name in first.verified if all(name in each.verified for each in others)
        )

    def to_dict(self) -> Json:
        """Return the JSON object of `genre fetch`."""
        return {
            "dataset": self.dataset,
            "to": self.to,
            "files": self.files,
            "bytes": self.bytes,
            "verified": list(self.verified),
            "written": self.written,
            "reused": self.reused,
            "remarks": [remark for each in self.archives for remark in each.remarks],
            "archives": [_listed(asdict(each)) for each in self.archives],
            "seconds": self.seconds,
        }


@dataclass(frozen=True, kw_only=True)
class BackbonesResult:
    """What `genre backbone` did, or found.

    Attributes
    ----------
    store : str
    backbones : tuple[BackboneSummary, ...]
        Those that were added, or that the store has.
    removed : tuple[BackboneSummary, ...]
    """

    store: str
    backbones: tuple[BackboneSummary, ...]
    removed: tuple[BackboneSummary, ...] = ()

    def to_dict(self) -> Json:
        """Return the JSON object of `genre backbone`."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class StatusResult:
    """What `genre status` found."""

    status: StoreStatus

    def to_dict(self) -> Json:
        """Return the JSON object of `genre status`."""
        return self.status.to_dict()


@dataclass(frozen=True, kw_only=True)
class UpResult:
    """What one `genre up` has started, or found.

    Attributes
    ----------
    dashboard, api : str
        Addresses of the server's pages and of its API.
    server : str
        `started`, or `found` where one answered already.
    password : str, optional
        The file that holds what the server asks for; none where the user has named a password, or
        the server is somebody else's.
    data, store : str
        What the deployments work on by default.
    scheduler, storage_block : str, optional
        Further ones of their parameters.
    cron, timezone : str, optional
        Of the nightly run, as `0 3 * * *` and `Europe/Zurich`; the JSON has its `hour`, too.
    pools, deployments, automations : tuple[str, ...]
        Names of what the server was told.
    alerts : str, optional
        Whom automations tell; nobody but the event feed if None.
    processes : Mapping
        Role to pid: `server`, `worker <pool>`.
    state : str
        The folder of logs and state.
    seconds : float
        How long it took to start.
    already_running : bool
        Whether an earlier `genre up` has started it.
    detached : bool
        Whether it goes on when the command has ended.
    remarks : tuple[str, ...]
        What is no longer as this `genre up` made it, a sentence each.
    """

    dashboard: str
    api: str
    server: str
    password: str | None = None
    data: str
    store: str
    scheduler: str | None
    storage_block: str | None
    pools: tuple[str, ...]
    deployments: tuple[str, ...]
    automations: tuple[str, ...]
    alerts: str | None
    processes: Mapping[str, int]
    state: str
    seconds: float
    already_running: bool = False
    detached: bool
    cron: str | None = None
    timezone: str | None = None
    remarks: tuple[str, ...] = ()

    @property
    def hour(self) -> int | None:
        """The nightly run's hour, 0 to 23; None if `cron` does not name one."""
        fields = (self.cron or "").split()
        return int(fields[1]) if len(fields) > 1 and fields[1].isdecimal() else None

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Self:
        """Read what `to_dict` gave, also from JSON."""
        known = {each.name for each in fields(cls)}
        kept = {name: value for name, value in stored.items() if name in known}
        lists = {name: tuple(value) for name, value in kept.items() if isinstance(value, list)}
        return cls(**{**kept, **lists})

    def to_dict(self) -> Json:
        """Return plain values, ready for JSON."""
        return {**asdict(self), "hour": self.hour}


@dataclass(frozen=True, kw_only=True)
class DownResult:
    """What one `genre down` has stopped.

    Attributes
    ----------
    stopped : tuple[str, ...]
        Roles, as in `UpResult.processes`.
    state : str
        The folder of logs and state.
    """

    stopped: tuple[str, ...]
    state: str

    def to_dict(self) -> Json:
        """Return plain values, ready for JSON."""
        return asdict(self)


def _flat(inner: Mapping[str, object], outer: object, *, left_out: tuple[str, ...]) -> Json:
    """Put a result's own fields behind those of what it holds."""
    own = {name: value for name, value in vars(outer).items() if name not in left_out}
    return {**inner, **own}


def _listed(fields: Mapping[str, object]) -> Json:
    """Turn tuples into lists, as JSON has them."""
    return {
        name: list(value) if isinstance(value, tuple) else value for name, value in fields.items()
    }
